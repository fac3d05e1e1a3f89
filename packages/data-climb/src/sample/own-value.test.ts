import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { writeLayoutFile, writeTable } from '../datasets/written-layouts.testing.ts'
import { openDataset } from '../open/open-dataset.ts'
import { ownValue } from './own-value.ts'

let root: string
beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'qoq-own-'))
})
afterAll(() => rm(root, { recursive: true, force: true }))

const inherited = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf']

test.for(inherited)('a table has no %s', key => {
  expect(ownValue({ a: 1 }, key)).toBeUndefined()
})

/** Data sets whose labels come from texts of an index or of file names. */
const layouts: readonly { readonly id: string; readonly write: (folder: string, word: string) => Promise<void> }[] = [
  {
    id: 'isic_2020',
    write: async (folder, word) => {
      await writeTable(folder, 'ISIC_2020_Training_GroundTruth.csv', 'image_name,patient_id,benign_malignant', [
        `a,p,${word}`,
      ])
      await writeLayoutFile(folder, 'train/a.jpg', 'x')
    },
  },
  {
    id: 'pad_ufes_20',
    write: async (folder, word) => {
      await writeTable(folder, 'metadata.csv', 'patient_id,lesion_id,img_id,diagnostic', [`p,1,a.png,${word}`])
      await writeLayoutFile(folder, 'images/a.png', 'x')
    },
  },
  { id: 'covid_us', write: (folder, word) => writeLayoutFile(folder, `videos/1_a_${word}.mp4`, 'x') },
  {
    id: 'covid_blues',
    write: async (folder, word) => {
      await writeTable(folder, 'clinical_variables.csv', 'patient_id,cov_test', [`11,${word}`])
      await writeLayoutFile(folder, 'lus_videos/patient_11_L1.mp4', 'x')
    },
  },
]

describe('a word that every object has', () => {
  test.for(layouts.flatMap(layout => inherited.map(word => ({ ...layout, word }))))(
    '$word is no label of $id',
    async ({ id, write, word }) => {
      const folder = path.join(root, `${id}-${word}`)
      await write(folder, word)
      const { tally } = await openDataset(id, { root: folder })
      expect(tally).toMatchObject({ rows: 1, kept: 0, unlabelled: 1 })
    },
  )
})

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openDataset } from '../open/open-dataset.ts'
import { writeLayoutFile } from './written-layouts.testing.ts'

let root: string
beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'qoq-inspect-'))
})
afterAll(() => rm(root, { recursive: true, force: true }))

const tsv = (lines: readonly string[][]) => `${lines.map(cells => cells.join('\t')).join('\n')}\n`

/** The tables of the release of 2025: labels, mapping, and the official split where it is asked for. */
async function writeInspect(folder: string, { hasSplit }: { readonly hasSplit: boolean }): Promise<void> {
  const studies = [
    { impression: '1', image: 'PE1a', person: '77', part: 'train', flags: ['1', '1', '0'] },
    { impression: '2', image: 'PE2b', person: '77', part: 'train', flags: ['0', '0', '0'] },
    { impression: '3', image: 'PE3c', person: '78', part: 'valid', flags: ['True', 'False', 'True'] },
    { impression: '4', image: 'PE4d', person: '79', part: 'test', flags: ['1', '0', '0'] },
    { impression: '5', image: 'PE5e', person: '80', part: '', flags: ['0', '0', '0'] },
  ]
  const labels = studies.map(({ impression, flags }) => [impression, ...flags])
  await writeLayoutFile(
    folder,
    'labels_20250611.tsv',
    tsv([['impression_id', 'pe_positive_nlp', 'pe_acute', 'pe_subsegmentalonly'], ...labels]),
  )
  const mapping = studies.map(({ impression, image, person }) => [impression, image, person, '2020-01-01'])
  await writeLayoutFile(
    folder,
    'study_mapping_20250611.tsv',
    tsv([['impression_id', 'image_id', 'person_id', 'procedure_DATETIME'], ...mapping]),
  )
  const parts = studies
    .filter(({ part }) => part !== '')
    .map(({ impression, person, part }) => [impression, person, part])
  if (hasSplit)
    await writeLayoutFile(folder, 'splits_20250611.tsv', tsv([['impression_id', 'person_id', 'split'], ...parts]))
  for (const { image } of studies) await writeLayoutFile(folder, `CTPA/${image}.nii.gz`, 'x')
}

describe('inspect', () => {
  test('uses the official split, by impression', async () => {
    const folder = path.join(root, 'split')
    await writeInspect(folder, { hasSplit: true })
    const { samples, tally } = await openDataset('inspect', { root: folder })
    expect(samples.map(({ id, split, patientId, answer }) => [id, split, patientId, answer[0]])).toEqual([
      ['inspect/1', 'train', '77', 'Acute PE'],
      ['inspect/2', 'train', '77', 'No PE'],
      ['inspect/3', 'valid', '78', 'Subsegmental-only PE'],
      ['inspect/4', 'test', '79', 'Chronic PE'],
    ])
    expect(tally).toMatchObject({ rows: 5, kept: 4, excluded: 1 })
    expect(path.basename(samples[2]!.files[0]!)).toBe('PE3c.nii.gz')
  })

  test('keeps a person in one part where the split was not fetched', async () => {
    const folder = path.join(root, 'mapping')
    await writeInspect(folder, { hasSplit: false })
    const { samples } = await openDataset('inspect', { root: folder })
    expect(samples.length).toBe(5)
    expect(samples[0]?.split).toBe(samples[1]?.split)
  })
})

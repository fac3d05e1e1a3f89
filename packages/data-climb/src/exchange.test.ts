import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { synthesise } from './clinic/synthesise.ts'
import { openDataset } from './open/open-dataset.ts'
import { readJsonl, writeJsonl } from './sample/public-jsonl.ts'
import type { Sample } from './sample/sample.ts'
import { verifySplits } from './verify/verify-splits.ts'

let folder: string
let mri: readonly Sample[]
let ecg: readonly Sample[]
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'qoq-exchange-'))
  const root = path.join(folder, 'clinic')
  await synthesise({ dir: root, seed: 3, size: 40, preset: 'balanced', domains: ['ecg', 'mri'] })
  mri = (await openDataset('mini_clinic_mri', { root })).samples
  ecg = (await openDataset('mini_clinic_ecg', { root })).samples
})
afterAll(() => rm(folder, { recursive: true, force: true }))

async function rowsOf(file: string) {
  const rows = []
  for await (const row of readJsonl(file)) rows.push(row)
  return rows
}

describe('verifySplits', () => {
  test('finds the mini clinic clean and counts its labels', async () => {
    const report = await verifySplits([...mri, ...ecg])
    expect(report).toMatchObject({ leakingPatients: [], leakingFiles: [], isClean: true })
    expect(report.samples.train + report.samples.valid + report.samples.test).toBe(40)
    expect(report.labelCounts.train['Glioma Tumor']).toBe(
      mri.filter(({ split, answer }) => split === 'train' && answer[0] === 'Glioma Tumor').length,
    )
  })

  test('finds a patient and a file in two parts, and a duplicate in one', async () => {
    const train = mri.filter(sample => sample.split === 'train')
    const [a, b] = [train[0]!, train.find(sample => sample.patientId !== train[0]!.patientId)!]
    const leaking = { ...a, id: 'leak', split: 'test' as const }
    const copy = { ...b, id: 'copy', patientId: 'other' }
    const report = await verifySplits([a, b, leaking, copy])
    expect(report).toMatchObject({
      leakingPatients: [[a.id, 'leak']],
      leakingFiles: [[a.id, 'leak']],
      duplicates: [[b.id, 'copy']],
      isClean: false,
    })
  })
})

describe('verifySplits on recordings', () => {
  test('finds the same signals under another name', async () => {
    const header = ecg[0]!.files[0]!
    const renamed = path.join(folder, 'renamed.hea')
    const text = await readFile(header, 'utf8')
    await writeFile(renamed, text.replaceAll(path.basename(header, '.hea'), 'renamed'))
    await cp(header.replace('.hea', '.dat'), path.join(folder, 'renamed.dat'))
    const twin = { ...ecg[0]!, id: 'twin', patientId: 'twin', files: [renamed] }
    expect((await verifySplits([ecg[0]!, twin])).duplicates).toEqual([[ecg[0]!.id, 'twin']])
  })
})

describe('the public JSONL', () => {
  test('keeps how the views of a sample map into each other', async () => {
    const file = path.join(folder, 'views.jsonl')
    const views = [{ image: 1, from: 0, transform: [1, 0, 5, 0, 1, -2] }] as const
    await writeJsonl(file, [{ ...mri[0]!, views }])
    expect((await rowsOf(file))[0]?.views).toEqual(views)
    await writeFile(
      file,
      '{"problem":"<image>","answer":"A","images":["a"],"views":[{"image":0,"from":1,"transform":[1]}]}',
    )
    await expect(rowsOf(file)).rejects.toMatchObject({ code: 'DATA_INDEX_INVALID' })
  })

  test('keeps questions, answers, files and boxes on the way out and back', async () => {
    const file = path.join(folder, 'all.jsonl')
    await writeJsonl(file, [...mri, ...ecg])
    const rows = await rowsOf(file)
    expect(rows.length).toBe(40)
    for (const [i, sample] of [...mri, ...ecg].entries()) {
      const row = rows[i]!
      expect(row.answer).toBe(sample.answer.join(', '))
      expect(row.problem).toBe(sample.modality.includes('image') ? `<image>\n${sample.question}` : sample.question)
      expect([...row.images, ...row.timeSeries].map(name => path.resolve(folder, name))).toEqual(sample.files)
      expect(row.box).toEqual(sample.boxes?.[0])
      expect([row.dataset, row.dataSource]).toEqual([sample.dataset, sample.domain])
    }
  })

  test('takes an absent box written as zeros, and lists that are null', async () => {
    const file = path.join(folder, 'zeros.jsonl')
    await writeFile(
      file,
      '{"problem":"<image>\\nQ","answer":"A","images":["a.png"],"time-series":null,"bbox":[0,0,0,0]}\n\n',
    )
    expect(await rowsOf(file)).toMatchObject([{ images: ['a.png'], timeSeries: [], box: undefined }])
  })

  test.for([
    { name: 'text', line: 'hello' },
    { name: 'no answer', line: '{"problem":"<image>","images":["a"]}' },
    { name: 'no media', line: '{"problem":"Q","answer":"A","images":[]}' },
    { name: 'fewer markers than pictures', line: '{"problem":"<image>","answer":"A","images":["a","b"]}' },
    { name: 'a box of three numbers', line: '{"problem":"<image>","answer":"A","images":["a"],"bbox":[1,2,3]}' },
  ])('refuses $name', async ({ line }) => {
    const file = path.join(folder, 'bad.jsonl')
    await writeFile(file, `${line}\n`)
    await expect(rowsOf(file)).rejects.toMatchObject({ code: 'DATA_INDEX_INVALID' })
  })

  test('says when the file is missing', async () => {
    await expect(rowsOf(path.join(folder, 'nothing.jsonl'))).rejects.toMatchObject({ code: 'DATA_INPUT_MISSING' })
  })
})

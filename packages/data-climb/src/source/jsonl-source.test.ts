import { copyFile, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { synthesise } from '../clinic/synthesise.ts'
import { presentSample } from '../sample/present-sample.ts'
import { openJsonl } from './jsonl-source.ts'

let folder = ''

/** Writes a grey PNG by the level of each column. */
async function writePng(name: string, [width, height]: readonly [number, number], levelOf: (x: number) => number) {
  const levels = Uint8Array.from({ length: width * height }, (_, i) => levelOf(i % width))
  await sharp(levels, { raw: { width, height, channels: 1 } })
    .png()
    .toFile(path.join(folder, name))
}

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'qoq-jsonl-'))
  await synthesise({ dir: path.join(folder, 'clinic'), seed: 3, size: 4, domains: ['ecg'] })
  const records = path.join(folder, 'clinic/ecg/records')
  await mkdir(path.join(folder, 'data/ecg'), { recursive: true })
  for (const name of await readdir(records))
    await copyFile(path.join(records, name), path.join(folder, 'data/ecg', name))
  await writePng('data/a.png', [8, 4], () => 90)
  await writePng('data/b.png', [6, 6], () => 90)
  await writePng('data/mask.png', [8, 4], x => (x < 2 ? 255 : 0))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** The lines as the public training code of QoQ-Med reads them. */
async function written(...rows: readonly object[]): Promise<string> {
  const file = path.join(folder, 'data/qa.jsonl')
  await writeFile(file, `\uFEFF${rows.map(row => JSON.stringify(row)).join('\r\n\n')}\n`)
  return file
}

const picture = {
  problem: '<image>\n<image>\nWhat is it? Choose one: mass, none.',
  answer: 'mass',
  images: ['a.png', './b.png'],
  videos: [],
  'time-series': [],
  dataset: 'own_set',
  data_source: 'mri',
  segmentation_path: 'mask.png',
  bbox: [1, 0, 3, 2],
}

describe('openJsonl', () => {
  test('makes samples with pictures, box and mask by path', async () => {
    const source = await openJsonl(await written(picture, { ...picture, answer: 'none', bbox: null }), {
      split: 'valid',
    })
    const [sample, second] = await source.read([0, 1])
    expect(sample).toMatchObject({
      id: 'own_set/qa.jsonl#1',
      dataset: 'own_set',
      domain: 'mri',
      split: 'valid',
      question: 'What is it? Choose one: mass, none.',
      labels: ['mass', 'none'],
      answer: ['mass'],
      answerMode: 'single',
      boxes: [{ x1: 1, y1: 0, x2: 3, y2: 2 }],
    })
    expect(second).toMatchObject({ id: 'own_set/qa.jsonl#3', answer: ['none'] })
    const { prompt, truth } = await presentSample(sample!)
    expect(prompt[0]!.content.map(({ type }) => type)).toEqual(['image', 'image', 'text'])
    expect(truth.image).toEqual([
      { width: 8, height: 4 },
      { width: 6, height: 6 },
    ])
    expect([...truth.mask![0]!.data]).toEqual(Array.from({ length: 32 }, (_, i) => (i % 8 < 2 ? 1 : 0)))
    expect(sample!.reference([{ x: 2, y: 10 }])).toContain('{"bbox_2d": [2, 0, 6, 20], "label": "mass"}')
  })

  test('reads a recording, and takes labels and domain from a dataset that is ours', async () => {
    const header = (await readdir(path.join(folder, 'data/ecg'))).find(name => name.endsWith('.hea'))
    const row = {
      problem: 'Which?',
      answer: 'Conduction Delay, STTC',
      'time-series': [`ecg/${header}`],
      dataset: 'ptb_xl',
    }
    const [sample] = await (await openJsonl(await written(row))).read([0])
    expect(sample).toMatchObject({ domain: 'ecg', answer: ['Conduction Delay', 'STTC'], answerMode: 'multi' })
    expect(sample!.labels).toHaveLength(7)
    expect((await sample!.ecg?.())?.leads).toHaveLength(12)
  })

  test('leaves its folder only as far as it is allowed to', async () => {
    const file = await written({ ...picture, images: ['../secret.png', 'b.png'] })
    await writePng('secret.png', [2, 2], () => 90)
    const inside = await openJsonl(file)
    await expect(inside.read([0])).rejects.toMatchObject({ code: 'DATA_PATH_UNSAFE' })
    const [sample] = await (await openJsonl(file, { root: folder })).read([0])
    expect((await sample!.images?.())?.[0]).toMatchObject({ width: 2, height: 2 })
  })

  test('a file of a row that is missing is an error that names the row', async () => {
    const source = await openJsonl(await written({ ...picture, images: ['a.png', 'gone.png'] }))
    const [sample] = await source.read([0])
    await expect(sample!.images?.()).rejects.toMatchObject({
      code: 'DATA_FILE_UNREADABLE',
      message: expect.stringContaining('line 1'),
    })
  })

  test.for([
    { name: 'no domain', row: { ...picture, data_source: 'radiology' }, says: 'line 1 names no domain' },
    { name: 'no answer', row: { ...picture, answer: ' , ' }, says: 'line 1 has an empty answer' },
    {
      name: 'two recordings',
      row: { ...picture, problem: 'x', images: [], 'time-series': ['a', 'b'] },
      says: 'line 1 has several',
    },
    { name: 'a marker too many', row: { ...picture, images: ['a.png'] }, says: '2 markers for 1 files' },
    { name: 'a number for a row', row: 7 as never, says: 'line 1 is no row' },
  ])('refuses $name', async ({ row, says }) => {
    await expect(openJsonl(await written(row))).rejects.toMatchObject({
      code: 'DATA_INDEX_INVALID',
      message: expect.stringContaining(says),
    })
  })

  test('refuses a file that is not there', async () => {
    await expect(openJsonl(path.join(folder, 'none.jsonl'))).rejects.toMatchObject({ code: 'DATA_INPUT_MISSING' })
  })
})

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildIndex, openDataset, synthesise, writeJsonl } from '@qoq-med/data-climb'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseConfig, planRun, readMetrics, train } from '../src/index.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'qoq-sources-'))
  const root = join(folder, 'clinic')
  await synthesise({ dir: root, seed: 5, size: 12, domains: ['mri', 'ecg'], preset: 'balanced' })
  for (const domain of ['mri', 'ecg'])
    await buildIndex(`mini_clinic_${domain}`, { root, out: join(folder, `${domain}.parquet`), workers: 0 })
  const { samples } = await openDataset('mini_clinic_mri', { root })
  await writeJsonl(join(folder, 'mri.jsonl'), samples)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const everything = ['train', 'valid', 'test'] as const
const warm = { name: 'warm', algorithm: 'sft', batchSize: 2, learningRate: 1e-3, steps: 2 }
const folders = ['mri', 'ecg'].map(domain => ({ dataset: `mini_clinic_${domain}`, root: 'clinic' }))

function config(name: string, sources: readonly object[], stage: object = {}) {
  return parseConfig({
    name,
    model: { preset: 'qoq-nano', vocabularySize: 400 },
    data: { maxPixels: 3136, splits: everything, sources },
    stages: [{ ...warm, ...stage }],
  })
}

async function lossesOf(name: string, sources: readonly object[], stage: object = {}): Promise<unknown[]> {
  const out = join(folder, name)
  await train(config(name, sources, stage), { baseFolder: folder, out })
  return (await readMetrics(out)).map(({ loss }) => loss)
}

describe('sources of a configuration', { timeout: 120_000 }, () => {
  test('an index trains as its folder does, step for step', async () => {
    const wanted = await lossesOf('folders', folders)
    expect(wanted).toHaveLength(2)
    const indexes = ['mri', 'ecg'].map(domain => ({ index: `${domain}.parquet`, root: 'clinic' }))
    expect(await lossesOf('indexes', indexes)).toEqual(wanted)
  })

  test('a JSONL trains beside an index; weights decide how often each is drawn', async () => {
    const sources = [
      { jsonl: 'mri.jsonl', weight: 3, onError: 'skip' },
      { index: ['ecg.parquet'], root: 'clinic', weight: 1, balanced: 'label', limit: 5 },
    ]
    const losses = await lossesOf('mixed', sources)
    expect(losses.every(loss => Number.isFinite(loss))).toBe(true)
    const other = sources.map(source => ({ ...source, weight: 1 }))
    expect(await lossesOf('mixed-evenly', other)).not.toEqual(losses)
  })

  test('epochs stand for steps: every sample is drawn as often', async () => {
    const given = { steps: undefined, epochs: 1.5, batchSize: 5 }
    const { stages, samples } = await planRun(config('passes', folders, given), { baseFolder: folder })
    expect([samples, stages[0]!.steps]).toEqual([12, Math.ceil((12 * 1.5) / 5)])
    expect(await lossesOf('passes', folders, given)).toHaveLength(4)
    const written = await readFile(join(folder, 'passes/config.yaml'), 'utf8')
    expect(written).toMatch(/steps: 4/)
    expect(written).not.toMatch(/^ +epochs:/m)
  })

  test('a run over an index goes on where it was, in another order of nothing', async () => {
    const sources = [{ index: ['mri.parquet', 'ecg.parquet'], root: 'clinic' }]
    const stage = { steps: 4, checkpointEvery: 2 }
    const wanted = await lossesOf('whole', sources, stage)
    const out = join(folder, 'resumed')
    const controller = new AbortController()
    const stopped = train(config('resumed', sources, stage), {
      baseFolder: folder,
      out,
      signal: controller.signal,
      onStep: ({ step }) => {
        if (step === 3) controller.abort()
      },
    })
    await expect(stopped).rejects.toMatchObject({ code: 'TRAINER_ABORTED' })
    await train(config('resumed', sources, stage), { baseFolder: folder, out, resume: true })
    expect((await readMetrics(out)).map(({ loss }) => loss)).toEqual(wanted)
  })

  test.for([
    { name: 'a source of two kinds', source: { dataset: 'x', jsonl: 'y', root: '.' }, field: 'data.sources.0.dataset' },
    { name: 'a source of no kind', source: { root: '.' }, field: 'data.sources.0.dataset' },
    { name: 'an index without a folder', source: { index: 'x.parquet' }, field: 'data.sources.0.root' },
    {
      name: 'readers of an index',
      source: { index: 'x', root: '.', boxReaders: 'one' },
      field: 'data.sources.0.boxReaders',
    },
    { name: 'a weight of 0', source: { jsonl: 'x', weight: 0 }, field: 'data.sources.0.weight' },
  ])('refuse $name', ({ source, field }) => {
    expect(() => config('bad', [source])).toThrow(
      expect.objectContaining({ code: 'TRAINER_CONFIG_FIELD', message: expect.stringContaining(field) }),
    )
  })

  test.for([
    { name: 'steps and epochs', stage: { epochs: 1 } },
    { name: 'neither', stage: { steps: undefined } },
  ])('refuse $name', ({ stage }) => {
    expect(() => config('bad', folders, stage)).toThrow('either steps or epochs')
  })

  test('a JSONL that is damaged is refused before anything is trained', async () => {
    await writeFile(join(folder, 'bad.jsonl'), '{"problem": "x"}\n')
    await expect(lossesOf('damaged', [{ jsonl: 'bad.jsonl' }])).rejects.toMatchObject({ code: 'DATA_INDEX_INVALID' })
  })
})

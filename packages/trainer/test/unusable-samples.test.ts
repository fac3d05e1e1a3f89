import { mkdtemp, readdir, readFile, rm, truncate } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { synthesise } from '@qoq-med/data-climb'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { planRun, train, type TrainConfig } from '../src/index.ts'
import { metrics, shortStage, smallConfig, stopAndResume, weightHash } from './small-run.ts'

let folder = ''
let broken: string[] = []
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'qoq-unusable-'))
  await synthesise({ dir: join(folder, 'clinic'), seed: 7, size: 24, domains: ['ecg', 'mri'] })
  const pictures = join(folder, 'clinic/mri/images')
  broken = (await readdir(pictures)).toSorted().slice(0, 2)
  for (const name of broken) await truncate(join(pictures, name), 60)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const warmUp = {
  name: 'warm',
  algorithm: 'sft',
  steps: 4,
  batchSize: 8,
  microbatchSize: 4,
  learningRate: 1e-3,
  checkpointEvery: 1,
  validate: { every: 2, samples: 24, split: 'test', maxNewTokens: 4 },
}

function config(overrides: readonly string[] = []): TrainConfig {
  return smallConfig([warmUp, { ...shortStage, questionsPerStep: 8, steps: 1 }], {
    splits: ['train'],
    overrides: ['data.sources.1.onError=skip', 'data.maxFailureShare=0.2', ...overrides],
  })
}

describe('samples that do not decode', () => {
  test('are left out, counted, and named in the result and the report; batches keep their size', async () => {
    const { leftOut, report } = await train(config(), { baseFolder: folder, out: join(folder, 'run') })
    expect(leftOut.map(({ code }) => code)).toEqual(['DATA_FILE_UNREADABLE', 'DATA_FILE_UNREADABLE'])
    for (const name of broken) expect(leftOut.some(({ message }) => message.includes(name))).toBe(true)
    const page = await readFile(report, 'utf8')
    expect(page).toContain('2 samples could not be used')
    const lines = await metrics(join(folder, 'run'))
    const step = lines.find(({ stage, type }) => stage === 'rl' && type === undefined)
    const domains = Object.values(step?.['domains'] as Record<string, { questions: number }>) // as metrics.jsonl has them
    expect(domains.reduce((sum, { questions }) => sum + questions, 0)).toBe(8)
  }, 120_000)

  test('change nothing of what a resumed run comes to', async () => {
    await stopAndResume(config(), { baseFolder: folder, out: join(folder, 'resumed'), after: 2 })
    expect(await weightHash(join(folder, 'resumed'))).toBe(await weightHash(join(folder, 'run')))
    expect((await readFile(join(folder, 'resumed/failures.jsonl'), 'utf8')).trim().split('\n')).toHaveLength(2)
  }, 120_000)

  test('pass a dry run', async () => {
    expect((await planRun(config(), { baseFolder: folder })).samples).toBeGreaterThan(12)
  })

  test.for([
    {
      name: 'where their source does not say skip',
      override: 'data.sources.1.onError=throw',
      code: 'DATA_FILE_UNREADABLE',
    },
    { name: 'where they are too many', override: 'data.maxFailureShare=0', code: 'DATA_TOO_MANY_FAILURES' },
  ])('stop a run $name', async ({ override, code }) => {
    const out = join(folder, code)
    await expect(train(config([override]), { baseFolder: folder, out })).rejects.toMatchObject({ code })
  })
})

import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { synthesise } from '@qoq-med/data-climb'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadConfig, train, type TrainConfig } from '../src/index.ts'
import { metrics, shortStage, smallConfig, stopAndResume, weightHash } from './small-run.ts'

const warm = {
  name: 'warm',
  algorithm: 'sft',
  steps: 2,
  batchSize: 2,
  microbatchSize: 2,
  learningRate: 2e-3,
  checkpointEvery: 1,
}
const config = (...overrides: string[]): TrainConfig =>
  smallConfig([warm, { ...shortStage, steps: 1 }], { overrides, keep: 1 })

let folder = ''
let finished = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'qoq-prolong-'))
  await synthesise({ dir: join(folder, 'clinic'), seed: 7, size: 12, domains: ['ecg', 'mri'] })
  finished = join(folder, 'finished')
  await train(config(), { baseFolder: folder, out: finished })
}, 120_000)
afterAll(() => rm(folder, { recursive: true, force: true }))

describe('a run that is over', () => {
  test.for([
    { override: 'seed=1', says: 'seed 42 and cannot go on with 1: it may not change' },
    { override: 'stages.1.learningRate=1', says: 'stages.1.learningRate 0.0001 and cannot go on with 1' },
    { override: 'rewards.length=0', says: 'rewards.length 0.5 and cannot go on with 0' },
    { override: 'stages.0.steps=3', says: 'stages.0.steps 2 and cannot go on with 3: that stage is over' },
    { override: 'data.maxPromptTokens=900', says: 'data.maxPromptTokens 1024 and cannot go on with 900' },
  ])('is not prolonged with $override, and is left as it is', async ({ override, says }) => {
    const before = await readFile(join(finished, 'config.yaml'), 'utf8')
    await expect(train(config(override), { baseFolder: folder, out: finished, resume: true })).rejects.toMatchObject({
      code: 'TRAINER_RESUME_CONFIG',
      message: expect.stringContaining(says),
      hint: expect.stringContaining('--set stages.N.steps=M'),
    })
    expect(await readFile(join(finished, 'config.yaml'), 'utf8')).toBe(before)
  })

  test('is prolonged to the bits of a run that was that long from the start, and not shortened again', async () => {
    const longer = config('stages.1.steps=3', 'keep=2')
    const whole = join(folder, 'whole')
    await train(longer, { baseFolder: folder, out: whole })
    const steps: number[] = []
    await train(longer, {
      baseFolder: folder,
      out: finished,
      resume: true,
      onStep: ({ step }) => void steps.push(step),
    })
    expect(steps).toEqual([2, 3])
    expect(await weightHash(finished)).toBe(await weightHash(whole))
    expect(await metrics(finished)).toEqual(await metrics(whole))
    expect((await loadConfig(join(finished, 'config.yaml'))).stages[1]!.steps).toBe(3)
    // What it now is can be resumed as any run.
    await train(longer, { baseFolder: folder, out: finished, resume: true })
    await expect(train(config(), { baseFolder: folder, out: finished, resume: true })).rejects.toMatchObject({
      code: 'TRAINER_RESUME_CONFIG',
      message: expect.stringContaining('stages.1.steps 3 and cannot go on with 1: 3 steps are made'),
    })
  })
})

test('a stopped run is prolonged, or ended earlier, in the stage that it is in and those to come', async () => {
  const out = join(folder, 'stopped')
  await stopAndResume(config(), { baseFolder: folder, out, after: 1 }, config('stages.0.steps=3', 'stages.1.steps=2'))
  expect((await metrics(out)).map(({ stage, step }) => `${String(stage)} ${String(step)}`)).toEqual([
    'warm 1',
    'warm 2',
    'warm 3',
    'rl 1',
    'rl 2',
  ])
})

import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { synthesise } from '@qoq-med/data-climb'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseConfig } from '../config/load-config.ts'
import { planRun } from './plan-run.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'qoq-plan-'))
  await synthesise({ dir: join(folder, 'clinic'), seed: 7, size: 12, domains: ['mri'] })
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const config = (stage: Readonly<Record<string, unknown>> = {}) =>
  parseConfig({
    name: 'plan',
    model: { preset: 'qoq-nano', vocabularySize: 400 },
    data: { maxPixels: 3136, sources: [{ dataset: 'mini_clinic_mri', root: 'clinic' }] },
    stages: [
      { name: 'warm', algorithm: 'sft', steps: 10, batchSize: 4, learningRate: 1e-3, trainable: ['visual.*'] },
      {
        name: 'rl',
        algorithm: 'grpo',
        steps: 5,
        learningRate: 1e-4,
        questionsPerStep: 2,
        groupSize: 3,
        rollout: { maxNewTokens: 20 },
        ...stage,
      },
    ],
  })

const planned = async (stage: Readonly<Record<string, unknown>>) =>
  (await planRun(config(stage), { baseFolder: folder })).stages[1]!

describe('planRun', () => {
  test('counts parameters, tokens and memory, and writes nothing', async () => {
    const plan = await planRun(config(), { baseFolder: folder })
    const [warm, rl] = plan.stages
    expect(warm!.trainableParameters).toBeLessThan(plan.parameters)
    expect(warm!.sampledTokens).toBe(0)
    expect(rl!.sampledTokens).toBe(2 * 3 * 20)
    // The three answers to a question share their prompt, in two parts where a microbatch holds two.
    expect(rl!.trainedTokens).toBe(Math.round(2 * (plan.promptTokens.mean + 3 * 20)))
    const apart = await planned({ microbatchSize: 2 })
    expect(apart.trainedTokens).toBe(Math.round(2 * (2 * plan.promptTokens.mean + 3 * 20)))
    // Weights, gradients, both moments and the reference: 20 bytes a parameter and what the passes hold.
    expect(rl!.memoryBytes).toBeGreaterThan(19 * plan.parameters)
    expect(plan.seconds).toBeGreaterThan(0)
    expect(plan.memoryBytes).toBe(Math.max(warm!.memoryBytes, rl!.memoryBytes))
    expect(await readdir(folder)).toEqual(['clinic'])
  })

  test('counts a critic, a greedy baseline and adapters', async () => {
    const [plain, ppo, remax, lora] = [
      await planned({}),
      await planned({ algorithm: 'ppo' }),
      await planned({ algorithm: 'remax' }),
      await planned({ lora: { rank: 2, alpha: 4 } }),
    ]
    expect(ppo.memoryBytes).toBeGreaterThan(plain.memoryBytes + 15 * plain.trainableParameters)
    expect(ppo.trainedTokens).toBe(2 * plain.trainedTokens)
    expect(remax.sampledTokens).toBe(2 * 4 * 20)
    expect(lora.trainableParameters).toBeLessThan(plain.trainableParameters / 10)
  })

  test('refuses what the run would refuse', async () => {
    const run = planRun(config({ domains: ['ct'] }), { baseFolder: folder })
    await expect(run).rejects.toMatchObject({ code: 'TRAINER_NO_SAMPLES' })
  })
})

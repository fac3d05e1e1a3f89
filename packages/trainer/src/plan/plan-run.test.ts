import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { synthesise } from '@qoq-med/data-climb'
import { createPolicyModel, type FrozenType, type PolicyModel } from '@qoq-med/model'
import { sizeOf } from '@qoq-med/tensor'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseConfig } from '../config/load-config.ts'
import type { PolicyStage, SftStage } from '../config/run-config.ts'
import { planRun } from './plan-run.ts'
import { planStage } from './stage-plan.ts'

/** Shapes of Qwen2.5-VL-7B's language model. */
function sevenBillion(): PolicyModel {
  const decoder = { ...sizes7b, attentionBias: true, maxPositions: 128_000, initializerRange: 0.02 }
  return createPolicyModel({
    name: '7b',
    config: { family: 'qwen2', decoder, tokenIds: { endOfSequence: [] } },
    tokenizer: undefined,
  })
}

const sizes7b = {
  hiddenSize: 3584,
  intermediateSize: 18_944,
  numLayers: 28,
  numHeads: 28,
  numKvHeads: 4,
  headDim: 128,
  vocabSize: 152_064,
  rmsNormEpsilon: 1e-6,
  ropeTheta: 1e6,
  tieWordEmbeddings: false,
}

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

  test('refuses what does not fit, and says what does', async () => {
    const plan = await planRun(config(), { baseFolder: folder })
    const refused = (availableBytes: number) =>
      planRun(config(), { baseFolder: folder, availableBytes }).catch((error: unknown) => error)
    const near = (await refused(plan.memoryBytes - 1)) as { code: string; hint: string }
    expect(near.code).toBe('TRAINER_MEMORY_SHORT')
    const overrides = [...near.hint.matchAll(/--set "([^"]+)"/g)].map(([, override]) => override!)
    expect(overrides[0]).toBe('memory=recompute')
    const fitting = await planRun(parseConfig(JSON.parse(JSON.stringify(config())), overrides), { baseFolder: folder })
    expect(fitting.memoryBytes).toBeLessThan(plan.memoryBytes)
    // A model without a checkpoint has nothing to freeze.
    const hopeless = (await refused(1e6)) as { code: string; hint: string }
    expect(hopeless.hint).toMatch(/^It takes .* at least/)
  })

  test('counts a frozen base of 7 billion weights once, from its shapes', () => {
    const model = sevenBillion()
    const { stages } = config({ lora: { rank: 16, alpha: 32 }, microbatchSize: 1 })
    const lengths = { mean: 400, largest: 512 }
    const sizes = {
      samples: 1,
      flops: 1e11,
      promptTokens: lengths,
      referenceTokens: lengths,
      memory: 'recompute',
    } as const
    const bytes = (weights: FrozenType | undefined) => planStage(stages[1]!, model, { ...sizes, weights }).memoryBytes
    const parameters = model.parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0)
    // In memory: 4 bytes a weight, and the reference again.
    expect(bytes(undefined)).toBeGreaterThan(8 * parameters)
    const [warm, rl] = stages as [SftStage, PolicyStage] // as written above
    const sft: SftStage = { ...warm, lora: rl.lora, trainable: ['*'], microbatchSize: 1 }
    const trained = planStage(sft, model, { ...sizes, weights: 'int4' }).memoryBytes
    // Four and a half bits a weight (nine of the head), the head widened and later written, adapters, and one layer's values.
    expect(trained).toBeGreaterThan(0.5625 * parameters)
    expect(trained).toBeLessThan(0.5625 * parameters + 2.5 * 4 * 152_064 * 3584 + 5e9)
    // The reference's weights once more: from four and a quarter bits (gate and up) on.
    expect(bytes('int4')).toBeGreaterThan(trained + 0.53125 * parameters)
    expect(bytes('bfloat16')).toBeGreaterThan(bytes('int4') + parameters)
  })

  test('refuses what the run would refuse', async () => {
    const run = planRun(config({ domains: ['ct'] }), { baseFolder: folder })
    await expect(run).rejects.toMatchObject({ code: 'TRAINER_NO_SAMPLES' })
  })
})

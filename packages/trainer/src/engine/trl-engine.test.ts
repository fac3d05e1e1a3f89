import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { externalConfig, stageOf, type Fields } from './external-config.testing.ts'
import { externalStage } from './refused-fields.ts'
import { trlEngine, trlSettings } from './trl-engine.ts'

describe('a configuration in the words of GRPOConfig', () => {
  test('splits a step of 16 rollouts over two processes, two updates and three passes', () => {
    const config = externalConfig()
    expect(trlSettings(config, stageOf(config))).toMatchObject({
      // 2 x 2 rollouts a pass; 8 an update, so two passes; 16 a step, so four; 5 steps of 3 x 2 updates.
      per_device_train_batch_size: 2,
      gradient_accumulation_steps: 2,
      steps_per_generation: 4,
      num_generations: 4,
      num_iterations: 3,
      max_steps: 30,
      beta: 1e-4,
      epsilon: 0.2,
      loss_type: 'grpo',
      scale_rewards: 'none',
    })
  })

  test.for<[Fields, Fields]>([
    [
      { aggregation: 'token-mean', dualClip: 3, clipRatioHigh: 0.3 },
      { loss_type: 'dapo', delta: 3, epsilon_high: 0.3 },
    ],
    [{ algorithm: 'dr-grpo' }, { loss_type: 'dr_grpo' }],
    [
      { schedule: { type: 'cosine', warmupSteps: 2, final: 1e-7 } },
      { warmup_steps: 12, lr_scheduler_type: 'cosine_with_min_lr', lr_scheduler_kwargs: { min_lr: 1e-7 } },
    ],
    [{ schedule: { type: 'linear' } }, { lr_scheduler_type: 'linear' }],
    [
      { maskTruncated: true, weightDecay: 0 },
      { mask_truncated_completions: true, weight_decay: 0 },
    ],
  ])('takes %j', ([stage, want]) => {
    const config = externalConfig({ stage })
    expect(trlSettings(config, stageOf(config))).toMatchObject(want)
  })
})

describe('what has no counterpart is refused by name', () => {
  test.for<[string, { readonly stage?: Fields } & Fields]>([
    ['stages.0.algorithm', { stage: { algorithm: 'ppo' } }],
    ['stages.0.algorithm', { stage: { algorithm: 'remax' } }],
    ['stages.0.klIn', { stage: { klIn: 'reward' } }],
    ['stages.0.adaptiveKl', { stage: { adaptiveKl: { target: 0.1 } } }],
    ['stages.0.klEstimator', { stage: { klEstimator: 'low_var_kl' } }],
    ['stages.0.klCoefficient', { stage: { klCoefficient: 0 } }],
    ['stages.0.advantage', { stage: { advantage: { history: 'running' } } }],
    ['stages.0.dynamicSampling', { stage: { dynamicSampling: {} } }],
    ['stages.0.overlong', { stage: { overlong: { buffer: 8 } } }],
    ['stages.0.validate', { stage: { validate: { every: 1 } } }],
    ['stages.0.lora', { stage: { lora: { rank: 4, alpha: 8 } } }],
    ['stages.0.onNotFinite', { stage: { onNotFinite: 'skip' } }],
    ['stages.0.rollout.topK', { stage: { rollout: { topK: 5 } } }],
    ['stages.0.trainable', { stage: { trainable: ['model.layers.*'] } }],
    ['stages.0.microbatchSize', { stage: { microbatchSize: 3 } }],
    ['stages.0.schedule.final', { stage: { schedule: { type: 'linear', final: 1e-7 } } }],
    ['stages.0.dualClip', { stage: { dualClip: 1.1 } }],
    ['rewards.own', { rewards: { own: { weight: 1, path: 'own.ts' } } }],
    ['keptPictures', { keptPictures: true }],
    ['device', { device: 'webgpu' }],
    ['stages.0.algorithm', { stages: [{ name: 's', algorithm: 'sft', steps: 1, learningRate: 1 }] }],
  ])('%s', ([field, given]) => {
    expect(() => externalStage(trlEngine, externalConfig(given))).toThrow(
      expect.objectContaining({ code: 'TRAINER_ENGINE_FIELD', message: expect.stringContaining(` ${field} `) }),
    )
  })

  test('a second stage', () => {
    const { stages } = externalConfig()
    expect(() => externalStage(trlEngine, { ...externalConfig(), stages: [...stages, ...stages] })).toThrow(
      expect.objectContaining({ code: 'TRAINER_ENGINE_FIELD' }),
    )
  })

  test('nothing of the paper’s own configuration', () => {
    expect(externalStage(trlEngine, externalConfig())).toMatchObject({ algorithm: 'drpo' })
  })
})

describe('an interpreter', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'qoq-python-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  /** An interpreter that has these packages. */
  async function interpreter(name: string, versions: Fields): Promise<string> {
    const file = join(folder, name)
    await writeFile(file, `#!/bin/sh\necho '${JSON.stringify(versions)}'\n`)
    await chmod(file, 0o755)
    return file
  }
  const whole = { python: '3.12.1', trl: '1.16.0', accelerate: '1.15.0', transformers: '5.9.0', torch: '2.13.0' }

  test.for<[string, Fields, string]>([
    ['without TRL', { ...whole, trl: null }, 'needs trl'],
    ['with an old TRL', { ...whole, trl: '0.9.6' }, 'TRL 0.9.6'],
    ['that answers nothing', {}, 'needs trl'],
  ])('%s is refused with the versions that were tried', async ([name, versions, words]) => {
    const python = await interpreter(name.replaceAll(' ', '-'), versions)
    await expect(trlEngine.probe(externalConfig({ cluster: { python } }))).rejects.toMatchObject({
      code: 'TRAINER_ENGINE_MISSING',
      message: expect.stringContaining(words),
    })
  })

  test('that is not there is refused, and a whole one is not', async () => {
    const missing = externalConfig({ cluster: { python: join(folder, 'nowhere') } })
    await expect(trlEngine.probe(missing)).rejects.toMatchObject({ code: 'TRAINER_ENGINE_MISSING' })
    await trlEngine.probe(externalConfig({ cluster: { python: await interpreter('whole', whole) } }))
  })
})

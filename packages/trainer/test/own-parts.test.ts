import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { advantageEstimators, defineEstimator } from '@qoq-med/core-drpo'
import { synthesise } from '@qoq-med/data-climb'
import { initialiseModel, nanoModel, scoringBatch, trainTokenizer, type ScoredSequence } from '@qoq-med/model'
import { createOrtExecutor } from '@qoq-med/tensor'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createLearner, readRollouts, train, type Objective } from '../src/index.ts'
import { StageSchema } from '../src/config/stage-fields.ts'
import { stageKinds } from '../src/stage/stage-kinds.ts'
import { shortStage, smallConfig } from './small-run.ts'

// What CONTRIBUTING.md says about parts of one's own, with the public names alone where there are some.

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'qoq-own-'))
  await synthesise({ dir: join(folder, 'clinic'), seed: 7, size: 12, domains: ['ecg', 'mri'] })
})
afterAll(() => rm(folder, { recursive: true, force: true }))

describe('a loss of one’s own is an Objective', () => {
  const tokenizer = trainTokenizer(['What does it show? It shows sinus rhythm.'], { vocabSize: 320 })
  const model = nanoModel(tokenizer, { decoder: { numLayers: 1 } })
  const items = ['It shows', 'sinus rhythm'].map((text): ScoredSequence => ({
    prompt: model.encode([{ role: 'user', content: 'What does it show?' }]),
    completion: Int32Array.from(tokenizer.encode(text)),
  }))

  /** Half the squared distance of every answer token's log-probability from −1, padding included. */
  const distanceObjective: Objective<ScoredSequence, number> = {
    name: 'distance',
    batch: sequences => {
      const packed = scoringBatch(model.config.decoder, model.encoders, sequences)
      return {
        key: packed.key,
        inputs: packed.inputs,
        build: ({ ops, layers, inputs }) => {
          const distance = ops.add(packed.forward(ops, layers, inputs).logprobs, ops.constant(1))
          return { loss: ops.mul(ops.mean(ops.mul(distance, distance), { axis: 0 }), ops.constant(0.5)) }
        },
        report: ({ loss }) => Number((loss as Float32Array)[0]), // the graph's output
      }
    },
  }

  test('its gradient is that of central differences, and it falls', { timeout: 60_000 }, async () => {
    const executor = await createOrtExecutor({ threads: 1 })
    const { store } = initialiseModel(model, 3)
    const learner = createLearner(executor, store, { weightDecay: 0, maxGradientNorm: 1 })
    const loss = (): Promise<number> => learner.evaluate(distanceObjective, items)
    const start = await learner.accumulate(distanceObjective, items)
    expect(await loss()).toBeCloseTo(start, 6)
    const weights = store.weights('model.norm.weight')
    // The entry with the largest gradient: a difference in float32 is least blurred there.
    const gradients = store.gradient('model.norm.weight')
    const at = gradients.reduce((best, value, i) => (Math.abs(value) > Math.abs(gradients[best]!) ? i : best), 0)
    const [found, kept] = [gradients[at]!, weights[at]!]
    const differences: number[] = []
    for (const step of [0.05, -0.05]) {
      weights[at] = kept + step
      differences.push(await loss())
    }
    weights[at] = kept
    const slope = (differences[0]! - differences[1]!) / 0.1
    expect(Math.abs(found - slope)).toBeLessThan(5e-2 * Math.abs(slope) + 1e-6)
    for (let step = 0; step < 10; step++) {
      learner.update(1e-2)
      await learner.accumulate(distanceObjective, items)
    }
    expect(await loss()).toBeLessThan(start)
    await learner.close()
    await executor.close()
  })
})

describe('an advantage estimator of one’s own', () => {
  test('is registered, named in a configuration with its options, and trains', { timeout: 60_000 }, async () => {
    const unregister = advantageEstimators.register(
      defineEstimator({
        name: 'centred',
        about: 'Reward minus a constant.',
        needs: {},
        options: { centre: { type: 'number', default: 0.5, minimum: 0, maximum: 1, about: 'what is subtracted' } },
        estimate: ({ rewards }, { centre }) => ({
          level: 'response',
          advantages: Float64Array.from(rewards, reward => reward - centre),
          stages: undefined,
          state: undefined,
        }),
      }),
    )
    const stage = { ...shortStage, algorithm: 'grpo', steps: 1, estimator: 'centred', advantage: { centre: 0.25 } }
    const out = join(folder, 'centred')
    await train(smallConfig([stage]), { baseFolder: folder, out })
    const rollouts = await readRollouts(out)
    expect(rollouts).toHaveLength(4)
    for (const { reward, advantage } of rollouts) expect(advantage).toBeCloseTo(reward - 0.25, 12)
    // It compares nothing, so that one answer a question will do.
    expect(smallConfig([{ ...stage, groupSize: 1 }]).stages[0]).toMatchObject({ groupSize: 1 })
    expect(() => smallConfig([{ ...stage, advantage: { center: 0.1 } }])).toThrow(
      expect.objectContaining({ code: 'DRPO_UNKNOWN_OPTION' }),
    )
    unregister()
    expect(() => smallConfig([stage])).toThrow(expect.objectContaining({ code: 'DRPO_UNKNOWN_ESTIMATOR' }))
  })
})

test('every stage that a configuration can name has a kind, and every kind a stage', () => {
  const named = StageSchema.options.flatMap(option => {
    const { algorithm } = option.shape
    return 'options' in algorithm ? ['policy'] : [...algorithm.values]
  })
  expect(named.toSorted()).toEqual(Object.keys(stageKinds).toSorted())
})

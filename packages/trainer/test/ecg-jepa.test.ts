import { readFile } from 'node:fs/promises'
import {
  nanoEcgJepa,
  nanoEcgPredictor,
  patchMask,
  randomPatchMask,
  readEcgJepaConfig,
  updateTargetEncoder,
  type EcgPretrainingConfig,
  type PatchMask,
  type PreparedEcg,
} from '@qoq-med/encoders'
import { counterStream } from '@qoq-med/model'
import { createOrtExecutor, isMatrix, type Executor, type MemoryMode, type OrtExecutor } from '@qoq-med/tensor'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { chunks } from '../src/chunks.ts'
import { createEcgJepaStore, ecgJepaObjective } from '../src/learn/ecg-jepa-objective.ts'
import { createLearner, type Learner, type LearnerOptions } from '../src/learn/learner.ts'
import { closeOracleFiles, float32, open } from './oracle-cases.ts'
import { missingShared, oracleFile } from './oracle-folder.ts'

const tiny: EcgPretrainingConfig = {
  encoder: readEcgJepaConfig({ encoder_embed_dim: 32, encoder_depth: 2, encoder_num_heads: 4 }),
  predictor: { embedDim: 16, depth: 2, numHeads: 2 },
}
const nano: EcgPretrainingConfig = { encoder: nanoEcgJepa, predictor: nanoEcgPredictor }

let executor: OrtExecutor
beforeAll(async () => {
  executor = await createOrtExecutor({ threads: 2 })
})
afterAll(async () => {
  await Promise.all([executor.close(), closeOracleFiles()])
})

/** Recordings of beats at different rates. */
const ecgs: readonly PreparedEcg[] = Array.from({ length: 4 }, (_, i) => {
  const random = counterStream(7, i)
  const [rate, phase] = [0.8 + random(), random() * 6]
  const signalMv = Float32Array.from({ length: 20_000 }, (_sample, at) => {
    const beat = ((at % 2500) / 250) * rate + phase
    return Math.exp(-(((beat % 1) - 0.5) ** 2) * 400) * (1 + Math.floor(at / 2500) / 8)
  })
  return { signalMv, missingLeads: [] }
})

function learnerOf(
  config: EcgPretrainingConfig,
  options: Partial<LearnerOptions> = {},
  on: Executor = executor,
): Learner {
  const store = createEcgJepaStore(config, counterStream(7, 0))
  return createLearner(on, store, { weightDecay: 0.05, decays: isMatrix, ...options })
}

const halfHidden: PatchMask = patchMask(50, new Set(Array.from({ length: 25 }, (_, i) => 2 * i)))

async function gradientsOf(
  learner: Learner,
  microbatchSize = ecgs.length,
): Promise<{ loss: number; gradients: Float32Array }> {
  const objective = ecgJepaObjective(tiny, { mask: halfHidden, ecgs: ecgs.length })
  let loss = 0
  for (const part of chunks(ecgs, microbatchSize)) loss += await learner.accumulate(objective, part)
  const gradients = learner.store.flat('gradients').slice()
  learner.store.zeroGradients()
  return { loss, gradients }
}

describe.skipIf(missingShared)(`a step against the official code${missingShared ? `: ${missingShared}` : ''}`, () => {
  test('moves encoder, predictor and target to its weights', async () => {
    const { tiny_loss: loss, mask_indices: masked } = JSON.parse(await readFile(oracleFile('ecg/ecgjepa.json'), 'utf8'))
    const [weights, want, forward] = await Promise.all(
      ['ecgjepa_tiny', 'ecgjepa_tiny_jepa_step', 'ecgjepa_tiny_forward'].map(name => open(`ecg/${name}.safetensors`)),
    )
    const x = await float32(forward!, 'x')
    const items = [0, 1, 2].map(i => ({ signalMv: x.slice(i * 20_000, (i + 1) * 20_000), missingLeads: [] }))
    const learner = learnerOf(tiny)
    for (const { name } of learner.store.parameters) learner.store.weights(name).set(await float32(weights!, name))
    const objective = ecgJepaObjective(tiny, { mask: patchMask(50, new Set(masked)), ecgs: items.length })
    expect(Math.abs((await learner.accumulate(objective, items)) - loss)).toBeLessThan(1e-6)
    learner.update(1e-3)
    updateTargetEncoder(tiny.encoder, name => learner.store.weights(name), 0.996)
    const after = want!.entries.filter(({ name }) => name.startsWith('after/'))
    expect(after.length).toBe(81) // 27 of the encoder, 27 of the predictor, 27 of the target
    const differences: number[] = []
    for (const { name } of after) {
      const got = learner.store.weights(name.slice('after/'.length))
      differences.push(...Array.from(await float32(want!, name), (value, i) => Math.abs(value - got[i]!)))
    }
    const far = differences.filter(difference => difference > 1e-5).length
    expect(far / differences.length).toBeLessThan(1e-3)
    expect(Math.max(...differences)).toBeLessThan(2.1e-3) // twice the learning rate: one step cannot move further
    await learner.close()
  })
})

test('learns to predict hidden patches at the nano size', async () => {
  const learner = learnerOf(nano)
  const losses: number[] = []
  for (let step = 0; step < 40; step++) {
    const mask = randomPatchMask(nano.encoder.numPatches, [0.6, 0.7], counterStream(9, step))
    losses.push(await learner.accumulate(ecgJepaObjective(nano, { mask, ecgs: ecgs.length }), ecgs))
    learner.update(1e-3)
    updateTargetEncoder(nano.encoder, name => learner.store.weights(name), 0.996 + 0.0001 * step)
  }
  await learner.close()
  expect(losses.every(Number.isFinite)).toBe(true)
  expect(mean(losses.slice(-5))).toBeLessThan(0.7 * mean(losses.slice(0, 5)))
}, 60_000)

describe('pre-training has what every learner has', () => {
  test.for(['saved', 'recompute'] as const)(
    'memory %s: the same loss and gradients in layers of their own',
    async memory => {
      const [fast, small] = (['fast', memory] as MemoryMode[]).map(mode =>
        learnerOf(tiny, { memory: mode, segmentBytes: 2 ** 20 }),
      )
      const [want, got] = [await gradientsOf(fast!), await gradientsOf(small!)]
      // The target encoder has no gradient, so that the engine fuses its sums and norms where a graph is not cut: last bits.
      expect(got.loss / want.loss).toBeCloseTo(1, 6)
      const difference = normOf(got.gradients.map((value, i) => value - want.gradients[i]!)) / normOf(want.gradients)
      expect(difference).toBeLessThan(1e-6)
      await Promise.all([fast!.close(), small!.close()])
    },
  )

  test('accumulation: the gradient of a batch is that of its microbatches', async () => {
    const learner = learnerOf(tiny)
    const [whole, parts] = [await gradientsOf(learner), await gradientsOf(learner, 3)]
    expect(parts.loss).toBeCloseTo(whole.loss, 6)
    // Sums in another order: a few roundings of 2^-24.
    expect(
      normOf(parts.gradients.map((value, i) => value - whole.gradients[i]!)) / normOf(whole.gradients),
    ).toBeLessThan(1e-5)
    await learner.close()
  })

  test('clipping: a first moment is a tenth of the clipped gradient', async () => {
    const learner = learnerOf(tiny, { maxGradientNorm: 1e-3 })
    await learner.accumulate(ecgJepaObjective(tiny, { mask: halfHidden, ecgs: ecgs.length }), ecgs)
    const { gradientNorm } = learner.update(1e-3)
    expect(gradientNorm).toBeGreaterThan(1e-2)
    const moments = Object.values(learner.optimizerState().firstMoments)
    const norm = Math.sqrt(
      moments.reduce((sum, moment) => sum + moment.reduce((part, value) => part + value ** 2, 0), 0),
    )
    expect(norm / 1e-4).toBeCloseTo(1, 3)
    await learner.close()
  })

  test('debug: the first operation that makes a NaN is named', async () => {
    const learner = learnerOf(tiny, { debug: true })
    learner.store.weights('encoder.W_P.weight')[0] = Number.NaN
    await expect(gradientsOf(learner)).rejects.toMatchObject({
      code: 'TENSOR_VALUE_NOT_FINITE',
      message: expect.stringContaining('encoder.W_P.weight'),
    })
    await learner.close()
  })

  test('bounded programs: as many as are kept, however many masks there are', { timeout: 120_000 }, async () => {
    let [alive, most] = [0, 0]
    const counting: Executor = {
      close: () => Promise.resolve(),
      compile: async (graph, options) => {
        const program = await executor.compile(graph, options)
        most = Math.max(most, ++alive)
        return { ...program, run: (feeds, how) => program.run(feeds, how), close: () => (alive--, program.close()) }
      },
    }
    const small: EcgPretrainingConfig = { ...tiny, encoder: { ...tiny.encoder, depth: 1 } }
    const learner = learnerOf(small, {}, counting)
    for (let hidden = 1; hidden < 50; hidden++) {
      for (const count of [1, 2]) {
        const mask = patchMask(50, new Set(Array.from({ length: hidden }, (_, i) => i)))
        await learner.accumulate(ecgJepaObjective(small, { mask, ecgs: count }), ecgs.slice(0, count))
      }
    }
    expect(most).toBeGreaterThan(40)
    expect(most).toBeLessThan(60)
    await learner.close()
    expect(alive).toBe(0)
  })
})

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

function normOf(values: Float32Array): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value ** 2, 0))
}

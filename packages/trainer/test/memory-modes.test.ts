import { initialiseModel, nanoModel, trainTokenizer, type ScoredSequence } from '@qoq-med/model'
import { createOrtExecutor, type MemoryMode, type OrtExecutor } from '@qoq-med/tensor'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createLearner, type Learner } from '../src/learn/learner.ts'
import { sftObjective } from '../src/learn/sft-objective.ts'

const corpus = ['The rhythm is sinus rhythm.', 'The answer is \\boxed{Normal}.']
const sizes = { numLayers: 3, initializerRange: 0.1 }
const { model, store } = initialiseModel(
  nanoModel(trainTokenizer(corpus, { vocabSize: 400, minFrequency: 1 }), { decoder: sizes }),
  7,
)

/** A picture with its question and an ECG with its question, each with two answers. */
function sequences(): ScoredSequence[] {
  const image = { width: 56, height: 84, data: Uint8Array.from({ length: 56 * 84 * 3 }, (_, i) => (i * 37) % 251) }
  const leads = ['I', 'II', 'III', 'aVR', 'aVL', 'aVF', 'V1', 'V2', 'V3', 'V4', 'V5', 'V6']
  const signalMv = leads.map((_, lead) => Float32Array.from({ length: 1000 }, (_sample, i) => Math.sin(i / (5 + lead))))
  const media = [
    { type: 'image', image },
    { type: 'ecg', ecg: { leads, samplingRateHz: 100, signalMv } },
  ] as const
  return media.flatMap(part => {
    const prompt = model.encode([{ role: 'user', content: [part, { type: 'text', text: 'The rhythm?' }] }])
    return corpus.map(answer => ({ prompt, completion: Int32Array.from(model.tokenizer.encode(answer)) }))
  })
}

let executor: OrtExecutor
beforeAll(async () => {
  executor = await createOrtExecutor({ threads: 2 })
})
afterAll(() => executor.close())

function learnerWith(memory: MemoryMode): Learner {
  return createLearner(executor, store, { weightDecay: 0.01, maxGradientNorm: 1, memory, segmentBytes: 2 ** 18 })
}

async function gradientsOf(learner: Learner): Promise<{ loss: number; gradients: Float32Array }> {
  const objective = sftObjective({ decoder: model.config.decoder, encoders: model.encoders })
  const items = sequences().map((sequence, i) => ({ ...sequence, tokenWeight: [0.01, 0.02, 0.03, 0.04][i]! }))
  const loss = await learner.accumulate(objective, items)
  const gradients = store.flat('gradients').slice()
  store.zeroGradients()
  return { loss, gradients }
}

function expectSameBits(a: Float32Array, b: Float32Array): void {
  expect(Buffer.compare(Buffer.from(a.buffer), Buffer.from(b.buffer))).toBe(0)
  expect(a.some(value => value !== 0)).toBe(true)
}

describe('a model with pictures and ECGs', () => {
  test.for(['saved', 'recompute'] as const)('has the same gradients, bit for bit, when memory is %s', async memory => {
    const [fast, small] = [learnerWith('fast'), learnerWith(memory)]
    const [want, got] = [await gradientsOf(fast), await gradientsOf(small)]
    expect(got.loss).toBe(want.loss)
    expectSameBits(got.gradients, want.gradients)
    await Promise.all([fast.close(), small.close()])
  })

  test('has the same gradients, bit for bit, in fifty repeats of a step', async () => {
    const learner = learnerWith('fast')
    const first = await gradientsOf(learner)
    for (let repeat = 1; repeat < 50; repeat++) {
      const { loss, gradients } = await gradientsOf(learner)
      expect(loss).toBe(first.loss)
      expectSameBits(gradients, first.gradients)
    }
    await learner.close()
  })
})

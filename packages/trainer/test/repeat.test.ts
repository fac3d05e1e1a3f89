import { createOrtExecutor, type AdamWState } from '@qoq-med/tensor'
import { afterAll, expect, test } from 'vitest'
import { accumulate, closeOracleFiles, objectives, textCase } from './oracle-cases.ts'

const executor = createOrtExecutor({ threads: 2 })
afterAll(async () => {
  await Promise.all([(await executor).close(), closeOracleFiles()])
})

test('50 repeats of a step give the same bits: the loss, every gradient, every updated weight', async () => {
  const { learner, batch } = await textCase(await executor)
  const { store } = learner
  const start = store.parameters.map(({ name }) => store.weights(name).slice())
  const fresh = copied(learner.optimizerState())
  const step = async (): Promise<{ loss: number; gradients: Float32Array[]; weights: Float32Array[] }> => {
    store.parameters.forEach(({ name }, i) => store.weights(name).set(start[i]!))
    learner.restoreOptimizer(fresh)
    const loss = await accumulate(learner, batch, objectives.paper)
    const gradients = store.parameters.map(({ name }) => store.gradient(name).slice())
    learner.update(1e-3)
    return { loss, gradients, weights: store.parameters.map(({ name }) => store.weights(name).slice()) }
  }
  const first = await step()
  expect(first.gradients.every(gradient => gradient.some(value => value !== 0))).toBe(true)
  for (let repeat = 0; repeat < 50; repeat++) {
    const again = await step()
    expect(Object.is(again.loss, first.loss)).toBe(true)
    for (const kind of ['gradients', 'weights'] as const) {
      const changed = store.parameters.filter((_, i) => !sameBits(again[kind][i]!, first[kind][i]!))
      expect(
        changed.map(({ name }) => name),
        `${kind} that changed in repeat ${repeat}`,
      ).toEqual([])
    }
  }
  await learner.close()
}, 60_000)

/** A copy of a state, whose moments are views that later steps change. */
function copied({ step, firstMoments, secondMoments }: AdamWState): AdamWState {
  return { step, firstMoments: slices(firstMoments), secondMoments: slices(secondMoments) }
}

function slices(moments: AdamWState['firstMoments']): AdamWState['firstMoments'] {
  return Object.fromEntries(Object.entries(moments).map(([name, moment]) => [name, moment.slice()]))
}

function sameBits(a: Float32Array, b: Float32Array): boolean {
  return bytesOf(a).equals(bytesOf(b))
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength)
}

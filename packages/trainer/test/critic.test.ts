import { initialiseModel, nanoModel, trainTokenizer, type ScoredSequence } from '@qoq-med/model'
import { createOrtExecutor, type MemoryMode, type OrtExecutor } from '@qoq-med/tensor'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createLearner, type Learner, type LearnerOptions } from '../src/learn/learner.ts'
import { createCriticStore, valueObjective, valuePass, type ValueItem } from '../src/learn/value-objective.ts'

const tokenizer = trainTokenizer(['What does the recording show? It shows sinus rhythm.'], { vocabSize: 400 })
const model = nanoModel(tokenizer, { decoder: { numLayers: 2 } })
const sequences = ['It shows', 'sinus', 'It shows sinus rhythm.'].map((text): ScoredSequence => ({
  prompt: model.encode([{ role: 'user', content: 'What does the recording show?' }]),
  completion: Int32Array.from(tokenizer.encode(text)),
}))
const tokens = sequences.reduce((sum, { completion }) => sum + completion.length, 0)

let executor: OrtExecutor
let critic: Learner
const answers = { decoder: model.config.decoder, encoders: model.encoders }
const values = (): Promise<Float32Array[]> => critic.evaluate(valuePass(answers), sequences)
const learned = async (clipRange: number, items: readonly ValueItem[]): Promise<number> =>
  (await critic.accumulate(valueObjective(answers, clipRange), items)).loss
beforeAll(async () => {
  executor = await createOrtExecutor({ threads: 1 })
  critic = criticWith({})
})
afterAll(async () => {
  await critic.close()
  await executor.close()
})

const targets = (oldValues: readonly Float32Array[]): ValueItem[] =>
  sequences.map(({ prompt, completion }, i) => ({
    prompt,
    completion,
    returns: Float64Array.from(completion, (_, t) => 0.3 * i + 0.1 * t),
    oldValues: oldValues[i]!,
    tokenWeight: 1 / tokens,
  }))

function criticWith(options: Partial<LearnerOptions>): Learner {
  const { store } = initialiseModel(model, 3)
  const own = createCriticStore(
    model,
    name => store.weights(name),
    () => true,
  )
  return createLearner(executor, own, { weightDecay: 0, maxGradientNorm: 1, ...options })
}

test('says 0 before it has learned anything', async () => {
  const said = await values()
  expect(said.map(row => [...row])).toEqual(sequences.map(({ completion }) => [...completion].map(() => 0)))
})

test('the gradient of its loss is that of central differences', async () => {
  const head = critic.store.weights('value_head.weight')
  head.forEach((_, i) => (head[i] = Math.sin(i)))
  const goal = targets(await values())
  const loss = (): Promise<number> => learned(5, goal)
  await loss()
  const places = [
    { name: 'value_head.weight', at: 7 },
    { name: 'value_head.bias', at: 0 },
    { name: 'model.norm.weight', at: 20 },
    { name: 'model.layers.0.mlp.down_proj.weight', at: 300 },
    { name: 'model.layers.1.self_attn.v_proj.weight', at: 11 },
  ]
  const found = places.map(({ name, at }) => critic.store.gradient(name)[at]!)
  const wrong: unknown[] = []
  let largest = 0
  for (const [i, { name, at }] of places.entries()) {
    const weights = critic.store.weights(name)
    const [kept, step] = [weights[at]!, 1e-2]
    weights[at] = kept + step
    const above = await loss()
    weights[at] = kept - step
    const below = await loss()
    weights[at] = kept
    const difference = (above - below) / (2 * step)
    // Float32 losses of order 1 leave about 1e-5 of a difference over 2e-2.
    if (Math.abs(found[i]! - difference) > 5e-4 + 2e-2 * Math.abs(difference)) wrong.push({ name, difference })
    largest = Math.max(largest, Math.abs(difference))
  }
  expect(wrong).toEqual([])
  expect(largest).toBeGreaterThan(0.1)
  critic.store.zeroGradients()
})

test('learns what reward is to come', { timeout: 400_000 }, async () => {
  critic.store.weights('value_head.weight').fill(0)
  const before = await learned(100, targets(await values()))
  critic.store.zeroGradients()
  let last = before
  for (let step = 0; step < 60; step++) {
    last = await learned(100, targets(await values()))
    critic.update(3e-3)
  }
  expect(last).toBeLessThan(before / 10)
})

describe('has what every learner has', () => {
  const goal = targets(sequences.map(({ completion }) => new Float32Array(completion.length)))

  test.for(['saved', 'recompute'] as const)('memory %s: the same gradients, bit for bit', async memory => {
    const [fast, small] = (['fast', memory] as MemoryMode[]).map(mode =>
      criticWith({ memory: mode, segmentBytes: 2 ** 14 }),
    )
    const [want, got] = await Promise.all(
      [fast!, small!].map(async each => {
        each.store.weights('value_head.weight').fill(0.1)
        const { loss } = await each.accumulate(valueObjective(answers, 5), goal)
        return { loss, gradients: each.store.flat('gradients').slice() }
      }),
    )
    expect(got!.loss).toBe(want!.loss)
    expect(got!.gradients.some(value => value !== 0)).toBe(true)
    expect(Buffer.from(got!.gradients.buffer).equals(Buffer.from(want!.gradients.buffer))).toBe(true)
    await Promise.all([fast!.close(), small!.close()])
  })

  test('debug: the first operation that makes a NaN is named', async () => {
    const checked = criticWith({ debug: true })
    checked.store.weights('value_head.weight')[3] = Number.NaN
    await expect(checked.evaluate(valuePass(answers), sequences)).rejects.toMatchObject({
      code: 'TENSOR_VALUE_NOT_FINITE',
      message: expect.stringContaining('value_head.weight'),
    })
    await checked.close()
  })
})

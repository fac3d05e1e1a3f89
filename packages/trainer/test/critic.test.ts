import { initialiseModel, nanoModel, trainTokenizer, type ScoredSequence } from '@qoq-med/model'
import { createOrtExecutor, type OrtExecutor } from '@qoq-med/tensor'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createCritic, createCriticStore, type Critic, type ValueTarget } from '../src/learn/critic.ts'

const tokenizer = trainTokenizer(['What does the recording show? It shows sinus rhythm.'], { vocabSize: 400 })
const model = nanoModel(tokenizer, { decoder: { numLayers: 2 } })
const sequences = ['It shows', 'sinus', 'It shows sinus rhythm.'].map((text): ScoredSequence => ({
  prompt: model.encode([{ role: 'user', content: 'What does the recording show?' }]),
  completion: Int32Array.from(tokenizer.encode(text)),
}))
const tokens = sequences.reduce((sum, { completion }) => sum + completion.length, 0)

let executor: OrtExecutor
let critic: Critic
beforeAll(async () => {
  executor = await createOrtExecutor({ threads: 1 })
  const { store } = initialiseModel(model, 3)
  const own = createCriticStore(
    model,
    name => store.weights(name),
    () => true,
  )
  const parts = { decoder: model.config.decoder, encoders: model.encoders }
  critic = createCritic(executor, parts, own, { weightDecay: 0, maxGradientNorm: 1 })
})
afterAll(async () => {
  await critic.close()
  await executor.close()
})

const targets = (oldValues: readonly Float32Array[]): ValueTarget[] =>
  sequences.map(({ completion }, i) => ({
    returns: Float64Array.from(completion, (_, t) => 0.3 * i + 0.1 * t),
    oldValues: oldValues[i]!,
    tokenWeight: 1 / tokens,
  }))

test('says 0 before it has learned anything', async () => {
  const values = await critic.values(sequences)
  expect(values.map(row => [...row])).toEqual(sequences.map(({ completion }) => [...completion].map(() => 0)))
})

test('the gradient of its loss is that of central differences', async () => {
  const head = critic.store.weights('value_head.weight')
  head.forEach((_, i) => (head[i] = Math.sin(i)))
  const goal = targets(await critic.values(sequences))
  const loss = async (): Promise<number> => (await critic.accumulate(sequences, goal, 5)).loss
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
  const before = (await critic.accumulate(sequences, targets(await critic.values(sequences)), 100)).loss
  critic.store.zeroGradients()
  let last = before
  for (let step = 0; step < 60; step++) {
    last = (await critic.accumulate(sequences, targets(await critic.values(sequences)), 100)).loss
    critic.update(3e-3)
  }
  expect(last).toBeLessThan(before / 10)
})

import { weightLayers } from '@qoq-med/encoders'
import { createOrtExecutor, gradients, graphOps, type OrtExecutor } from '@qoq-med/tensor'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  batchFeeds,
  createProgramCache,
  initialiseModel,
  nanoModel,
  scoringBatch,
  trainTokenizer,
  type ScoredSequence,
  type ScoreOptions,
} from '../src/index.ts'

const tokenizer = trainTokenizer(['What does the recording show? It shows sinus rhythm.'], { vocabSize: 400 })
const model = nanoModel(tokenizer)
const { store } = initialiseModel(model, 5)
// Norms of one hide what rotations and masks do to small weights: larger ones show it.
for (const { name } of store.parameters) store.weights(name).forEach((value, i, all) => (all[i] = 2.5 * value))

const picture = { width: 84, height: 56, data: Uint8Array.from({ length: 84 * 56 * 3 }, (_, i) => (i * 37) % 256) }
const prompts = [
  model.encode([
    {
      role: 'user',
      content: [
        { type: 'image', image: picture },
        { type: 'text', text: 'What?' },
      ],
    },
  ]),
  model.encode([{ role: 'user', content: 'What does the recording show?' }]),
]
const answer = (text: string): Int32Array => Int32Array.from(tokenizer.encode(text))
const sequences: ScoredSequence[] = [
  { prompt: prompts[0]!, completion: answer('It shows') },
  { prompt: prompts[1]!, completion: answer('sinus rhythm.') },
  { prompt: prompts[0]!, completion: answer('sinus rhythm. It shows') },
  { prompt: prompts[0]!, completion: answer('rhythm') },
  { prompt: prompts[1]!, completion: answer('It') },
  {
    prompt: prompts[1]!,
    completion: answer('It shows sinus rhythm. What does it show? It shows sinus rhythm. It shows.'),
  },
  { prompt: prompts[1]!, completion: new Int32Array() },
  { prompt: prompts[1]!, completion: answer('What does the recording show?') },
]

let executor: OrtExecutor
beforeAll(async () => {
  executor = await createOrtExecutor({ threads: 1 })
})
afterAll(() => executor.close())

/** Log-probabilities per sequence, and the gradient of a weighted sum of them for some parameters. */
async function scored(options: ScoreOptions) {
  const shapes = new Map(store.parameters.map(({ name, shape }) => [name, shape]))
  const cache = createProgramCache(executor, shapes, { purpose: 'test' })
  const packed = scoringBatch(model.config.decoder, model.encoders, sequences, options)
  const shares = new Float32Array(packed.scores)
  packed.starts.forEach((start, i) => sequences[i]!.completion.forEach((_, t) => (shares[start + t] = 1 + i + 0.1 * t)))
  const shareInput = { dtype: 'float32' as const, shape: [packed.scores], data: shares }
  const batch = { ...packed, inputs: { ...packed.inputs, shares: shareInput } }
  const trained = [
    'model.embed_tokens.weight',
    'model.layers.0.self_attn.k_proj.weight',
    'visual.patch_embed.proj.weight',
  ]
  const cached = await cache.program(batch, (graph, keyed, look) => {
    const ops = graphOps(graph)
    const { logprobs, entropy } = keyed.forward(ops, weightLayers(ops, look.weights), look.inputs)
    graph.output('logprobs', logprobs)
    graph.output('entropy', entropy)
    const total = ops.sum(ops.mul(logprobs, look.inputs('shares')), { axis: 0 })
    gradients(graph, total, trained.map(look.weights)).forEach((gradient, i) =>
      graph.output(`gradient ${trained[i]!}`, gradient),
    )
  })
  const results = await cached.program.run(batchFeeds(cached, batch, name => store.weights(name)))
  await cache.close()
  const ofSequences = (name: string): Float32Array[] =>
    packed.starts.map(
      (start, i) => (results[name] as Float32Array).slice(start, start + sequences[i]!.completion.length), // a float32 output
    )
  return {
    tokens: packed.inputs['tokenIds']!.data.length,
    logprobs: ofSequences('logprobs'),
    entropy: ofSequences('entropy'),
    gradients: trained.map(name => results[`gradient ${name}`] as Float32Array), // float32 outputs
  }
}

test('completions that share a row with their prompt score and train as in rows of their own', async () => {
  const [packed, alone] = [await scored({}), await scored({ sharesPrompts: false })]
  expect(packed.tokens).toBeLessThan(alone.tokens)
  for (const name of ['logprobs', 'entropy'] as const) {
    alone[name].forEach((row, i) => {
      row.forEach((value, t) => expect(Math.abs(packed[name][i]![t]! - value), `${name} ${i}, ${t}`).toBeLessThan(2e-5))
    })
  }
  alone.gradients.forEach((want, i) => {
    const norm = Math.hypot(...want)
    const difference = Math.hypot(...want.map((value, at) => value - packed.gradients[i]![at]!))
    expect(norm).toBeGreaterThan(1e-3)
    expect(difference / norm).toBeLessThan(1e-4)
  })
})

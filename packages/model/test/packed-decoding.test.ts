import { createOrtExecutor, createTfjsExecutor, type OrtExecutor } from '@qoq-med/tensor'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { roundBlocks } from '../src/packed/round-blocks.ts'
import { widenBlocks } from '../src/packed/widen-blocks.testing.ts'
import { LocalPolicy, type LocalPolicyOptions } from '../src/policy/local-policy.ts'
import type { WeightedModel } from '../src/folder/model-weights.ts'
import { testModel } from '../src/composition/nano.testing.ts'
import type { Completion, GenerateRequest } from '../src/generation/generate-request.ts'
import type { Message } from '../src/prompt/message.ts'
import { largestDifference } from './oracle-cases.ts'
import { answersOf } from './parity.ts'

let executor: OrtExecutor
let weighted: WeightedModel
beforeAll(async () => {
  executor = await createOrtExecutor()
  weighted = testModel()
})
afterAll(() => executor.close())

const prompt: Message[] = [{ role: 'user', content: 'Which rhythm?' }]
const weightOf = (name: string): Float32Array => weighted.store.weights(name)

function policyWith(options: Partial<LocalPolicyOptions>): LocalPolicy {
  return new LocalPolicy({ model: weighted.model, weights: weightOf, executor, ...options })
}

async function withPolicy<Value>(
  options: Partial<LocalPolicyOptions>,
  work: (policy: LocalPolicy) => Promise<Value>,
): Promise<Value> {
  const policy = policyWith(options)
  try {
    return await work(policy)
  } finally {
    await policy.close()
  }
}

/** Largest difference between the log-probabilities of answers and those of a forward pass over the whole sequences. */
async function scoringGap(policy: LocalPolicy, request: GenerateRequest): Promise<number> {
  const answers = await answersOf(policy, [request])
  const { temperature = 1 } = request
  const sequences = answers.map(({ tokenIds }) => ({ prompt: policy.model.encode(prompt), completion: tokenIds }))
  const scored = await policy.logprobs(sequences, { temperature: temperature || 1 })
  return Math.max(...answers.map((answer, i) => largestDifference(answer.logprobs, scored[i]!)))
}

const bits = (answers: readonly Completion[]) => answers.map(({ tokenIds, logprobs }) => ({ tokenIds, logprobs }))

describe.each([
  { name: 'packed weights', options: { weightsVersion: 'frozen' } },
  { name: 'weights fed at every run', options: {} },
] as const)('decoding with $name', ({ options }) => {
  test.for([
    { name: 'greedy', sampling: { temperature: 0 } },
    { name: 'sampled', sampling: { temperature: 0.8 } },
    { name: 'sampled with limits', sampling: { temperature: 1.2, topK: 50, topP: 0.9, repetitionPenalty: 1.1 } },
    { name: 'sampled with alternatives', sampling: { topLogprobs: 2 } },
  ])('reports the log-probabilities of a whole forward pass: $name', async ({ sampling }) => {
    const gap = await withPolicy(options, policy =>
      scoringGap(policy, { prompt, samples: 5, maxNewTokens: 40, seed: 3, ...sampling }),
    )
    expect(gap).toBeLessThan(2e-5)
  })

  test('gives a sample the same bits beside any number of others, also of other kinds', async () => {
    const request: GenerateRequest = { prompt, maxNewTokens: 24, seed: 5, samples: 1 }
    const others = (count: number): GenerateRequest[] =>
      Array.from({ length: count }, (_, seed) => ({
        prompt,
        maxNewTokens: 3 * seed + 1,
        seed,
        temperature: seed % 2,
        topK: seed % 3,
      }))
    await withPolicy(options, async policy => {
      const alone = bits(await answersOf(policy, [request]))
      for (const count of [1, 2, 6, 20])
        expect(bits(await answersOf(policy, [request, ...others(count)])).slice(0, 1)).toEqual(alone)
    })
  })

  test('takes the most probable token where the temperature is 0, and says which in its alternatives', async () => {
    await withPolicy(options, async policy => {
      const [greedy] = await answersOf(policy, [{ prompt, temperature: 0, maxNewTokens: 20 }])
      const tops: number[] = []
      for await (const event of policy.generate([{ prompt, temperature: 0, maxNewTokens: 20, topLogprobs: 1 }]))
        if (event.type === 'token') tops.push(event.top[0]!.tokenId)
      expect([...greedy!.tokenIds]).toEqual(tops)
    })
  })
})

describe('weights that change', () => {
  const request: GenerateRequest = { prompt, maxNewTokens: 12, seed: 2, samples: 3 }
  const name = 'model.layers.0.mlp.down_proj.weight'

  test('are packed anew when their version says so', async () => {
    const before = Float32Array.from(weightOf(name))
    let version = 0
    await withPolicy({ weightsVersion: () => version }, async policy => {
      const first = bits(await answersOf(policy, [request]))
      weightOf(name).fill(0)
      version++
      expect(bits(await answersOf(policy, [request]))).not.toEqual(first)
      expect(await scoringGap(policy, request)).toBeLessThan(2e-5)
      weightOf(name).set(before)
      version++
      expect(bits(await answersOf(policy, [request]))).toEqual(first)
    })
  })

  test('are read in place where nothing is said of their version', async () => {
    const before = Float32Array.from(weightOf(name))
    await withPolicy({}, async policy => {
      await answersOf(policy, [request])
      weightOf(name).fill(0)
      expect(await scoringGap(policy, request)).toBeLessThan(2e-5)
      weightOf(name).set(before)
    })
  })

  test.for(['int4', 'float16'] as const)('refuse %s', weightsType => {
    const error = expect.objectContaining({ code: 'MODEL_OPTION_INVALID' })
    for (const weightsVersion of [undefined, () => 0])
      expect(() => policyWith({ weightsType, ...(weightsVersion && { weightsVersion }) })).toThrow(error)
  })
})

describe('four-bit weights', () => {
  const options = { weightsVersion: 'frozen', weightsType: 'int4' } as const

  test('answer as float32 ones that four bits can hold, up to the rounding of activations to eight bits', async () => {
    const rounded = new Map(
      weighted.model.parameters.map(({ name, shape }) => {
        const inner = shape[1]!
        const isMatrix = shape.length === 2 && inner >= 32
        return [name, isMatrix ? widenBlocks(roundBlocks(weightOf(name), inner, 4), inner, 4) : weightOf(name)] as const
      }),
    )
    const weights = (name: string): Float32Array => rounded.get(name)! // every parameter has one
    const request: GenerateRequest = { prompt, maxNewTokens: 24, temperature: 0 }
    const [answer] = await withPolicy({ weights, ...options }, policy => answersOf(policy, [request]))
    const sequence = { prompt: weighted.model.encode(prompt), completion: answer!.tokenIds }
    const [scored] = await withPolicy({ weights }, policy => policy.logprobs([sequence]))
    const errors = [...answer!.logprobs].map((logprob, i) => Math.abs(logprob - scored![i]!))
    expect(errors[0]).toBeLessThan(1e-5) // the prompt is read in float32
    expect(Math.max(...errors)).toBeGreaterThan(1e-4) // or the weights were not packed
    expect(Math.max(...errors)).toBeLessThan(0.1)
  })

  test('give a sample the same tokens beside others', async () => {
    const request: GenerateRequest = { prompt, maxNewTokens: 24, seed: 5 }
    await withPolicy(options, async policy => {
      const alone = bits(await answersOf(policy, [request]))
      const together = await answersOf(policy, [request, { ...request, seed: 6, samples: 9 }])
      expect(bits(together).slice(0, 1)).toEqual(alone)
    })
  })
})

describe('half-precision weights', () => {
  test('answer as float32 ones, up to the rounding to eleven bits', async () => {
    const request: GenerateRequest = { prompt, maxNewTokens: 24, temperature: 0 }
    const options = { weightsVersion: 'frozen', weightsType: 'float16' } as const
    const [answer] = await withPolicy(options, policy => answersOf(policy, [request]))
    const sequence = { prompt: weighted.model.encode(prompt), completion: answer!.tokenIds }
    const [scored] = await withPolicy({}, policy => policy.logprobs([sequence]))
    const errors = [...answer!.logprobs].map((logprob, i) => Math.abs(logprob - scored![i]!))
    expect(Math.max(...errors)).toBeGreaterThan(1e-6) // or the weights were not rounded
    expect(Math.max(...errors)).toBeLessThan(1e-2)
  })
})

test('TensorFlow.js answers as ONNX Runtime does', async () => {
  const request: GenerateRequest = { prompt, maxNewTokens: 6, samples: 2, seed: 3 }
  const expected = await withPolicy({}, policy => answersOf(policy, [request]))
  const tfjs = await createTfjsExecutor({ backend: 'wasm' })
  const got = await withPolicy({ executor: tfjs }, policy => answersOf(policy, [request]))
  await tfjs.close()
  for (const [i, { tokenIds, logprobs }] of got.entries()) {
    expect([...tokenIds]).toEqual([...expected[i]!.tokenIds])
    expect(largestDifference(logprobs, expected[i]!.logprobs)).toBeLessThan(1e-4)
  }
})

import { createOrtExecutor, type OrtExecutor } from '@qoq-med/tensor'
import { getEventListeners } from 'node:events'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { LocalPolicy } from '../src/policy/local-policy.ts'
import { boxedLabels, boxesAndLabels } from '../src/grammar/grammar.ts'
import type { WeightedModel } from '../src/folder/model-weights.ts'
import { testEcg, testImage, testModel } from '../src/composition/nano.testing.ts'
import type { GenerateEvent, GenerateRequest } from '../src/generation/generate-request.ts'
import type { Message } from '../src/prompt/message.ts'
import { largestDifference } from './oracle-cases.ts'
import { answersOf } from './parity.ts'

let executor: OrtExecutor
let weighted: WeightedModel
let policy: LocalPolicy
beforeAll(async () => {
  executor = await createOrtExecutor()
  weighted = testModel()
  policy = new LocalPolicy({
    model: weighted.model,
    weights: name => weighted.store.weights(name),
    executor,
    maxBatch: 8,
  })
})
afterAll(async () => {
  await policy.close()
  await executor.close()
})

const text: Message[] = [{ role: 'user', content: 'Which rhythm?' }]
const mixed: Message[] = [
  {
    role: 'user',
    content: [
      { type: 'image', image: testImage(90, 120) },
      { type: 'text', text: 'and' },
      { type: 'ecg', ecg: testEcg() },
      { type: 'video', frames: [testImage(60, 60), testImage(60, 60)] },
      { type: 'text', text: 'Which diagnosis?' },
    ],
  },
]

/** Another request, with a picture of another size where the seed is even. */
function other(seed: number): GenerateRequest {
  const image = { type: 'image', image: testImage(28 + 14 * seed, 150) } as const
  const prompt: Message[] = seed % 2 === 0 ? [{ role: 'user', content: [image] }] : text
  return { prompt, maxNewTokens: 10 + 7 * seed, seed, samples: 2 }
}

describe('LocalPolicy.generate', () => {
  test.for([
    { damaged: 'model.norm.weight', temperature: 0, told: ['rejected', 'rejected'] },
    { damaged: 'model.norm.weight', temperature: 1, told: ['rejected', 'rejected'] },
    { damaged: 'visual.merger.ln_q.weight', temperature: 0, told: ['fulfilled', 'rejected'] },
    { damaged: 'visual.merger.ln_q.weight', temperature: 1, told: ['fulfilled', 'rejected'] },
  ])(
    'tells who asked, and nobody else, of logits that are not numbers: $damaged, temperature $temperature',
    async each => {
      const broken = new LocalPolicy({
        model: weighted.model,
        weights: name => {
          const values = weighted.store.weights(name)
          return name === each.damaged ? values.map(() => Number.NaN) : values
        },
        executor,
        maxBatch: 3,
      })
      const ask = (prompt: Message[]) =>
        answersOf(broken, [{ prompt, samples: 2, temperature: each.temperature, maxNewTokens: 6 }])
      const told = await Promise.allSettled([text, mixed].map(ask))
      expect(told.map(({ status }) => status)).toEqual(each.told)
      expect(told[1]).toMatchObject({ reason: { code: 'MODEL_LOGITS_NOT_FINITE' } })
      await broken.close()
    },
  )

  test('reports the log-probabilities that a forward pass over the whole sequence gives', async () => {
    const requests = [text, mixed].map((prompt, seed) => ({
      prompt: policy.model.encode(prompt),
      maxNewTokens: 40,
      samples: 3,
      seed,
      temperature: 0.8,
    }))
    const answers = await answersOf(policy, requests)
    const sequences = answers.map((answer, i) => ({
      prompt: requests[Math.floor(i / 3)]!.prompt,
      completion: answer.tokenIds,
    }))
    const scored = await policy.logprobs(sequences, { temperature: 0.8 })
    expect(answers).toHaveLength(6)
    for (const [i, answer] of answers.entries())
      expect(largestDifference(answer.logprobs, scored[i]!)).toBeLessThan(2e-5)
  })

  test('gives a sample the same bits alone and among others, whatever their number', async () => {
    const request: GenerateRequest = { prompt: mixed, maxNewTokens: 30, seed: 5, samples: 3 }
    const alone = await answersOf(policy, [request])
    const together = await answersOf(policy, [other(1), other(2), request, other(3), other(4), other(5)])
    const ids = (answers: typeof alone): number[][] => answers.map(answer => [...answer.tokenIds])
    expect(ids(together.slice(4, 7))).toEqual(ids(alone))
    expect(together.slice(4, 7).map(answer => answer.logprobs)).toEqual(alone.map(answer => answer.logprobs))
    const third = await answersOf(policy, [{ ...request, samples: 1 }])
    expect(ids(third)).toEqual(ids(alone.slice(0, 1)))
    expect(third[0]!.logprobs).toEqual(alone[0]!.logprobs)
  })

  test('says with the last answer of each request how many tokens it read and wrote', async () => {
    const requests = [
      { prompt: text, maxNewTokens: 5, samples: 2 },
      { prompt: mixed, maxNewTokens: 3 },
    ]
    const ends: Extract<GenerateEvent, { type: 'sample-end' }>[] = []
    for await (const event of policy.generate(requests)) if (event.type === 'sample-end') ends.push(event)
    const written = (request: number): number =>
      ends.filter(end => end.request === request).reduce((sum, end) => sum + end.completion.tokenIds.length, 0)
    for (const [request, { prompt }] of requests.entries())
      expect(ends.findLast(end => end.request === request)?.usage).toEqual({
        promptTokens: policy.encode(prompt).tokenIds.length,
        completionTokens: written(request),
      })
    expect(ends.filter(({ usage }) => usage)).toHaveLength(2)
  })

  test('gives samples of one prompt different tokens, and the same ones again for the same seed', async () => {
    const request = { prompt: text, maxNewTokens: 12, samples: 4, seed: 9 }
    const [first, second] = [await answersOf(policy, [request]), await answersOf(policy, [request])]
    expect(new Set(first.map(answer => answer.tokenIds.join())).size).toBe(4)
    expect(second.map(answer => answer.tokenIds)).toEqual(first.map(answer => answer.tokenIds))
    expect(second.map(answer => answer.logprobs)).toEqual(first.map(answer => answer.logprobs))
  })

  test('streams the tokens of every answer in order, with alternatives, and pieces that join to its text', async () => {
    const request = { prompt: text, maxNewTokens: 9, samples: 2, seed: 3, topLogprobs: 3 }
    const events: GenerateEvent[] = []
    for await (const event of policy.generate([request])) events.push(event)
    for (const sample of [0, 1]) {
      const own = events.filter(event => event.sample === sample)
      const tokens = own.flatMap(event => (event.type === 'token' ? [event] : []))
      const ends = own.flatMap(event => (event.type === 'sample-end' ? [event.completion] : []))
      expect(ends).toHaveLength(1)
      expect(own.at(-1)!.type).toBe('sample-end')
      expect(own.map(event => event.text).join('')).toBe(ends[0]!.text)
      expect(tokens.map(event => event.token.tokenId)).toEqual([...ends[0]!.tokenIds])
      expect(tokens.every(event => event.top.length === 3 && event.top[0]!.logprob >= event.token.logprob)).toBe(true)
    }
  })

  test('ends at a stop text, which is left out', async () => {
    const [whole] = await answersOf(policy, [{ prompt: text, maxNewTokens: 40, seed: 1 }])
    const stop = whole!.text.slice(10, 12)
    const [stopped] = await answersOf(policy, [{ prompt: text, maxNewTokens: 40, seed: 1, stop: [stop] }])
    expect(stopped!.finish).toBe('stop')
    expect(stopped!.text).toBe(whole!.text.slice(0, whole!.text.indexOf(stop)))
    expect([...stopped!.tokenIds]).toEqual([...whole!.tokenIds.subarray(0, stopped!.tokenIds.length)])
  })

  test('ends at an end token, which is part of the tokens and not of the text', async () => {
    const ending = {
      ...policy.model,
      endTokenIds: new Set(Array.from({ length: policy.model.tokenizer.vocabSize }, (_, id) => id)),
    }
    const eager = new LocalPolicy({ model: ending, weights: name => weighted.store.weights(name), executor })
    const [answer] = await answersOf(eager, [{ prompt: text, maxNewTokens: 5 }])
    expect(answer!.finish).toBe('end')
    expect(answer!.tokenIds).toHaveLength(1)
    await eager.close()
  })

  test('stops when the signal aborts, and goes on for others', async () => {
    const controller = new AbortController()
    const seen: GenerateEvent[] = []
    const aborted = (async () => {
      for await (const event of policy.generate([{ prompt: text, maxNewTokens: 400 }], { signal: controller.signal })) {
        seen.push(event)
        if (seen.length === 3) controller.abort(new Error('enough'))
      }
    })()
    const beside = answersOf(policy, [{ prompt: text, maxNewTokens: 20 }])
    await expect(aborted).rejects.toThrow('enough')
    expect(seen.length).toBeLessThan(10)
    expect((await beside)[0]!.tokenIds).toHaveLength(20)
  })

  test('leaves no listener on a signal that serves many calls', async () => {
    const { signal } = new AbortController()
    let events = 0
    for (let i = 0; i < 3; i++) {
      for await (const event of policy.generate([{ prompt: text, maxNewTokens: 2 }], { signal }))
        events += event.sample + 1
    }
    expect(events).toBe(9)
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })

  test('frees the room of a caller that leaves early', async () => {
    for await (const event of policy.generate([{ prompt: text, maxNewTokens: 1000, samples: 8 }]))
      if (event.type === 'token') break
    const started = performance.now()
    await answersOf(policy, [{ prompt: text, maxNewTokens: 2 }])
    expect(performance.now() - started).toBeLessThan(5000)
  })

  test('queues more answers than fit at once', async () => {
    const answers = await answersOf(policy, [{ prompt: text, maxNewTokens: 6, samples: 19, seed: 2 }])
    expect(answers.filter(answer => answer.tokenIds.length > 0)).toHaveLength(19)
  })

  test.for([
    { name: 'no samples', options: { samples: 0 } },
    { name: 'an answer without tokens', options: { maxNewTokens: 0 } },
    { name: 'an empty stop text', options: { stop: [''] } },
    { name: 'a negative seed', options: { seed: -1 } },
    { name: 'a fractional number of alternatives', options: { topLogprobs: 0.5 } },
  ])('refuses $name', ({ options }) => {
    const error = expect.objectContaining({ code: 'MODEL_OPTION_INVALID' })
    expect(() => policy.generate([{ prompt: text, ...options }])).toThrow(error)
  })

  test('tells what runs, what waits and the room of its cache', async () => {
    const asked = policy.generate([{ prompt: text, maxNewTokens: 12, samples: 11, seed: 5 }])
    let busiest = await policy.load()
    for await (const event of asked) {
      const load = await policy.load()
      if (event.type === 'token' && load.batchSize > busiest.batchSize) busiest = load
    }
    const length = policy.model.encode(text).tokenIds.length
    expect([busiest.batchSize, busiest.batchLimit]).toEqual([8, 8])
    expect([1, 2, 3]).toContain(busiest.waitingAnswers) // of eleven, and one may have ended with its first token
    expect(busiest.cachedTokens).toBeGreaterThanOrEqual(8 * length)
    expect(busiest.cachedTokens).toBeLessThanOrEqual(8 * (length + 12))
    expect(busiest.cacheTokens).toBeGreaterThanOrEqual(busiest.cachedTokens)
    expect(await policy.load()).toMatchObject({ waitingAnswers: 0, batchSize: 0, cachedTokens: 0 })
  })

  test('refuses a prompt that leaves no room, and work after closing', async () => {
    const long: Message[] = [{ role: 'user', content: 'x '.repeat(3000) }]
    expect(() => policy.generate([{ prompt: long }])).toThrow(
      expect.objectContaining({ code: 'MODEL_CONTEXT_TOO_LONG' }),
    )
    const completion = new Int32Array(policy.info.maxPositions)
    await expect(policy.logprobs([{ prompt: text, completion }])).rejects.toThrow(
      expect.objectContaining({ code: 'MODEL_CONTEXT_TOO_LONG' }),
    )
    const closed = new LocalPolicy({ model: weighted.model, weights: name => weighted.store.weights(name), executor })
    await closed.close()
    const error = expect.objectContaining({ code: 'MODEL_POLICY_CLOSED' })
    expect(() => closed.generate([{ prompt: text }])).toThrow(error)
    await expect(closed.logprobs([])).rejects.toThrow(error)
  })

  test('passes on what fails while it generates', async () => {
    const broken = new LocalPolicy({ model: weighted.model, weights: () => new Float32Array(1), executor })
    await expect(answersOf(broken, [{ prompt: text }])).rejects.toThrow(
      expect.objectContaining({ code: 'TENSOR_FEED' }),
    )
    await broken.close()
  })
})

describe('LocalPolicy.generate with a grammar', () => {
  const labels = ['Atrial fibrillation', 'Sinus rhythm', 'ST elevation']

  test.for([
    {
      name: 'without reasoning',
      grammar: boxedLabels(labels, { reasoning: false }),
      pattern: /^\\boxed\{(Atrial fibrillation|Sinus rhythm|ST elevation)\}$/,
    },
    {
      name: 'after any reasoning',
      grammar: boxedLabels(labels, { multiple: true }),
      pattern: /\\boxed\{(Atrial fibrillation|Sinus rhythm|ST elevation|, )+\}$/,
    },
    {
      name: 'with boxes',
      grammar: boxesAndLabels(['mass'], labels),
      pattern: /^<think>[^]*<\/think>\n```json\n\[.*\]\n```\n\\boxed\{.*\}$/,
    },
  ])('answers $name with a label of the list, within its tokens', async ({ grammar, pattern }) => {
    for (const temperature of [0, 1]) {
      const answers = await answersOf(policy, [
        { prompt: text, grammar, maxNewTokens: 160, samples: 3, seed: 4, temperature },
      ])
      for (const answer of answers) {
        expect(answer.text).toMatch(pattern)
        expect(answer.finish).toBe('end')
      }
    }
  })

  test('refuses fewer tokens than the shortest answer needs', () => {
    const grammar = boxedLabels(labels)
    const error = expect.objectContaining({ code: 'MODEL_OPTION_INVALID' })
    expect(() => policy.generate([{ prompt: text, grammar, maxNewTokens: 5 }])).toThrow(error)
  })
})

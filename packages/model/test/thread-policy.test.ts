import { createOrtExecutor, type OrtExecutor } from '@qoq-med/tensor'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { testEcg, testImage, testModel } from '../src/composition/nano.testing.ts'
import type { GenerateEvent, GenerateRequest } from '../src/generation/generate-request.ts'
import { reasonedLabels } from '../src/grammar/grammar.ts'
import { LocalPolicy } from '../src/policy/local-policy.ts'
import type { Policy } from '../src/policy/policy.ts'
import {
  openThreadPolicy,
  type OpenThreadPolicyOptions,
  type ThreadPolicy,
} from '../src/policy/thread/thread-policy.ts'
import type { Message } from '../src/prompt/message.ts'
import { answersOf } from './parity.ts'
import type { PolicyThreadData } from './policy-thread.ts'

const open = (data: PolicyThreadData = {}, options: Partial<OpenThreadPolicyOptions> = {}): Promise<ThreadPolicy> =>
  openThreadPolicy({
    module: new URL('policy-thread.ts', import.meta.url),
    execArgv: ['--conditions=@qoq-med/source'],
    data,
    ...options,
  })

const { model, store } = testModel()
let executor: OrtExecutor
let local: LocalPolicy
let threaded: ThreadPolicy
beforeAll(async () => {
  executor = await createOrtExecutor()
  local = new LocalPolicy({ model, weights: name => store.weights(name), executor, maxBatch: 8 })
  threaded = await open()
})
afterAll(async () => {
  await threaded.close()
  await local.close()
  await executor.close()
})

const shared = (image: ReturnType<typeof testImage>): ReturnType<typeof testImage> => {
  const data = new Uint8Array(new SharedArrayBuffer(image.data.length))
  data.set(image.data)
  return { ...image, data }
}
const text: Message[] = [{ role: 'user', content: 'Which rhythm?' }]
const mixed: Message[] = [
  {
    role: 'user',
    content: [
      { type: 'image', image: shared(testImage(90, 120)) },
      { type: 'ecg', ecg: testEcg() },
      { type: 'video', frames: [testImage(60, 60), testImage(60, 60)] },
      { type: 'text', text: 'Which diagnosis?' },
    ],
  },
]

async function eventsOf(
  policy: Policy,
  requests: readonly GenerateRequest[],
  signal?: AbortSignal,
): Promise<GenerateEvent[]> {
  const events: GenerateEvent[] = []
  for await (const event of policy.generate(requests, signal ? { signal } : {})) events.push(event)
  return events
}

/** Takes the first events of an iteration. */
async function first(policy: Policy, request: GenerateRequest): Promise<void> {
  for await (const event of policy.generate([request])) if (event.type === 'token') return
}

describe('a policy in a thread', () => {
  test.for<[string, GenerateRequest]>([
    ['sampled answers with alternatives', { prompt: text, samples: 3, seed: 4, maxNewTokens: 9, topLogprobs: 2 }],
    ['media, some on shared memory', { prompt: mixed, temperature: 0, maxNewTokens: 5 }],
    ['tokens that were encoded here', { prompt: model.encode(mixed), seed: 2, maxNewTokens: 5 }],
    ['a grammar', { prompt: text, seed: 1, maxNewTokens: 40, grammar: reasonedLabels(['Normal', 'Effusion']) }],
  ])('gives the events of one in this thread: %s', async ([, request]) => {
    const requests = [request, { ...request, seed: 77 }]
    expect(await eventsOf(threaded, requests)).toEqual(await eventsOf(local, requests))
  })

  test('scores alike, prompts as messages or as tokens', async () => {
    const [completion] = await local.tokenIds(['Normal rhythm'])
    const sequences = [mixed, model.encode(mixed), text].map(prompt => ({ prompt, completion: completion! }))
    const [want, got] = await Promise.all(
      [local, threaded].map(policy => policy.logprobs(sequences, { temperature: 0.7 })),
    )
    expect(got).toEqual(want)
    expect(got![0]).toEqual(got![1])
  })

  test('knows what the model knows', async () => {
    expect(threaded.info).toEqual(local.info)
    const texts = ['Sinus rhythm, 60/min.', '', 'œdème']
    expect(await threaded.tokenIds(texts)).toEqual(await local.tokenIds(texts))
    const { vocabSize } = model.tokenizer
    for (const id of [0, 17, vocabSize - 1, vocabSize])
      expect([...threaded.tokenBytes(id)]).toEqual([...local.tokenBytes(id)])
    expect(threaded.seenSize({ width: 90, height: 120 })).toEqual(local.seenSize({ width: 90, height: 120 }))
    expect(await threaded.load()).toEqual(await local.load())
  })

  test('passes on what is wrong with a request, and goes on', async () => {
    const tooLong = answersOf(threaded, [{ prompt: [{ role: 'user', content: 'x '.repeat(3000) }] }])
    await expect(tooLong).rejects.toThrow(expect.objectContaining({ code: 'MODEL_CONTEXT_TOO_LONG' }))
    await expect(answersOf(threaded, [{ prompt: text, samples: 0 }])).rejects.toThrow(
      expect.objectContaining({ code: 'MODEL_OPTION_INVALID', hint: expect.any(String) }),
    )
    expect(await answersOf(threaded, [{ prompt: text, maxNewTokens: 3 }])).toHaveLength(1)
  })

  test('an answer that nobody waits for ends, whoever stopped', async () => {
    const long: GenerateRequest = { prompt: text, samples: 4, maxNewTokens: 400, seed: 3 }
    await first(threaded, long)
    const ending = new AbortController()
    const reason = new Error('enough')
    const cut = (async () => {
      for await (const event of threaded.generate([long], { signal: ending.signal }))
        if (event.type === 'token') ending.abort(reason)
    })()
    await expect(cut).rejects.toBe(reason)
    await expect(eventsOf(threaded, [long], AbortSignal.abort(reason))).rejects.toBe(reason)
    await expect(threaded.logprobs([], { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    await expect.poll(() => threaded.load()).toMatchObject({ batchSize: 0, waitingAnswers: 0 })
  })
})

describe('a thread with a policy', () => {
  test('that cannot open says why', async () => {
    await expect(open({ refuses: 'by code' })).rejects.toThrow(
      expect.objectContaining({ code: 'MODEL_FOLDER_INVALID', message: expect.stringContaining('it is a test') }),
    )
    await expect(open({ refuses: 'by accident' })).rejects.toThrow('no such kernel')
    await expect(open({}, { module: new URL('no-such-module.ts', import.meta.url) })).rejects.toThrow(
      expect.objectContaining({ code: 'MODEL_THREAD_ENDED' }),
    )
  })

  test('is given up while it opens', async () => {
    const ending = new AbortController()
    const opened = open({ isSlow: true }, { signal: ending.signal })
    const reason = new Error('no more')
    ending.abort(reason)
    await expect(opened).rejects.toBe(reason)
  })

  test('that dies ends every call, and is told', async () => {
    const policy = await open({ diesAfterMs: 50 })
    const error = expect.objectContaining({ code: 'MODEL_THREAD_ENDED', cause: new Error('the end') })
    await expect(answersOf(policy, [{ prompt: text, maxNewTokens: 2000, samples: 32 }])).rejects.toThrow(error)
    expect(policy.ended.aborted).toBe(true)
    await expect(policy.load()).rejects.toThrow(error)
    expect(() => policy.generate([{ prompt: text }])).toThrow(error)
    const start = performance.now() // thirty-two answers take a quarter of a minute
    await policy.close()
    expect(performance.now() - start).toBeLessThan(8000) // nothing that nobody waits for is written to its end
  })

  test('is heard to its last word, also when it ended long before anyone listens', async () => {
    const policy = await open()
    const request: GenerateRequest = { prompt: text, maxNewTokens: 12, temperature: 0 }
    const answers = answersOf(policy, [request])
    const closed = policy.close()
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2500) // this thread does nothing else
    await closed
    expect(await answers).toEqual(await answersOf(local, [request]))
  })

  test('finishes what is running before it closes, and takes nothing more', async () => {
    const policy = await open()
    const answers = answersOf(policy, [{ prompt: text, maxNewTokens: 12, temperature: 0 }])
    await policy.close()
    expect(await answers).toEqual(await answersOf(local, [{ prompt: text, maxNewTokens: 12, temperature: 0 }]))
    const error = expect.objectContaining({ code: 'MODEL_POLICY_CLOSED' })
    expect(() => policy.generate([{ prompt: text }])).toThrow(error)
    await expect(policy.tokenIds(['a'])).rejects.toThrow(error)
    expect(policy.ended.aborted).toBe(false)
  })
})

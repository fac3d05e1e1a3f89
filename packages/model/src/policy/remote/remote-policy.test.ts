import { afterEach, describe, expect, test } from 'vitest'
import { inflateSync } from 'node:zlib'
import { type ChatReply, type ChatServer, startChatServer } from '../../../../../tooling/testing/chat-server.ts'
import type { GenerateEvent, GenerateRequest, Message } from '../../index.ts'
import { RemotePolicy } from './remote-policy.ts'
import type { RemotePolicyOptions } from './remote-options.ts'

let server: ChatServer | undefined
afterEach(async () => {
  await server?.close()
  server = undefined
})

async function policyFor(
  reply: Parameters<typeof startChatServer>[0],
  options: Partial<RemotePolicyOptions> = {},
): Promise<RemotePolicy> {
  server = await startChatServer(reply)
  return new RemotePolicy({ url: server.url, model: 'm', retryBaseMs: 1, random: () => 0, ...options })
}

function ask(text: string): GenerateRequest {
  return { prompt: [{ role: 'user', content: text }], seed: 3, temperature: 0, maxNewTokens: 9 }
}

async function eventsOf(events: AsyncIterable<GenerateEvent>): Promise<GenerateEvent[]> {
  const all: GenerateEvent[] = []
  for await (const event of events) all.push(event)
  return all
}

async function textsOf(events: AsyncIterable<GenerateEvent>): Promise<string[]> {
  const texts: string[] = []
  for await (const event of events) if (event.type === 'sample-end') texts[event.request] = event.completion.text
  return texts
}

const yes = (): ChatReply => ({ type: 'text', text: '<think>x</think>\\boxed{yes}' })

/** A chunk of a stream. */
function chunkLine(delta: object, reason: string | null): string {
  return `data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason: reason }] })}\n\n`
}

/** A stream of these lines. */
function streamOf(body: string): ChatReply {
  return { type: 'raw', body, contentType: 'text/event-stream' }
}

/** An error as OpenAI writes it. */
function openAi(message: string): string {
  return JSON.stringify({ error: { message, type: 'x', code: 'y' } })
}

describe('what is sent and read', () => {
  test.for([true, false])('sampling, and the answer with its tokens counted (stream %s)', async stream => {
    const policy = await policyFor(yes, { stream, apiKey: 'secret' })
    const [event] = await eventsOf(policy.generate([ask('Is it?')]))
    expect(server!.asked[0]).toMatchObject({
      body: { model: 'm', max_tokens: 9, seed: 3, temperature: 0, messages: [{ role: 'user', content: 'Is it?' }] },
      authorization: 'Bearer secret',
    })
    expect(event).toMatchObject({
      type: 'sample-end',
      completion: { text: '<think>x</think>\\boxed{yes}', finish: 'end', tokenIds: { length: 27 } },
      usage: { promptTokens: 10, completionTokens: 27 },
    })
    expect(policy.use).toEqual({ requests: 1, promptTokens: 10, completionTokens: 27 })
  })

  test('pictures as PNG of the size that the model sees, frames in a row, an ECG as numbers', async () => {
    const policy = await policyFor(yes, { ecgAs: 'signal' })
    const image = { width: 30, height: 61, data: new Uint8Array(30 * 61 * 3).fill(7) }
    const ecg = { leads: ['I'], samplingRateHz: 250, signalMv: [Float32Array.of(0.1, -1 / 3)] }
    const content = [
      { type: 'image', image },
      { type: 'video', frames: [image, image] },
      { type: 'ecg', ecg },
      { type: 'text', text: 'What?' },
    ] as const satisfies Message['content']
    await textsOf(policy.generate([{ prompt: [{ role: 'user', content }] }]))
    const parts = server!.asked[0]!.body.messages[0]!.content as {
      type: string
      image_url?: { url: string }
      input_ecg?: { leads: Record<string, number[]> }
    }[] // what was sent
    expect(parts.map(({ type }) => type)).toEqual(['image_url', 'image_url', 'image_url', 'input_ecg', 'text'])
    const png = Buffer.from(parts[0]!.image_url!.url.split(',')[1]!, 'base64')
    const size = { width: png.readUInt32BE(16), height: png.readUInt32BE(20) }
    expect(size).toEqual(policy.seenSize(image))
    const pixels = inflateSync(png.subarray(41, png.length - 16))
    expect(pixels).toHaveLength(size.height * (1 + 3 * size.width))
    expect(new Set(pixels.subarray(1, 100))).toEqual(new Set([7]))
    expect(Float32Array.from(parts[3]!.input_ecg!.leads['I']!)).toEqual(ecg.signalMv[0])
  })

  test('a streamed refusal is one, and a cut one is asked again', async () => {
    const refusal = chunkLine({ refusal: 'No.' }, null)
    const policy = await policyFor(({ earlier }) => streamOf(earlier === 0 ? refusal : refusal + chunkLine({}, 'stop')))
    const [event] = await eventsOf(policy.generate([ask('x')]))
    expect(event).toMatchObject({ completion: { finish: 'refused', text: '' } })
    expect(server!.asked).toHaveLength(2)
  })

  test('a filter is a refusal, a length an end by length, log-probabilities are passed on', async () => {
    const replies: ChatReply[] = [
      { type: 'text', text: 'no', finish: 'content_filter' },
      { type: 'text', text: 'long', finish: 'length', logprobs: [-0.5] },
    ]
    const policy = await policyFor(({ body }) => replies[Number(body.messages[0]!.content)]!)
    const events = await eventsOf(policy.generate([ask('0'), ask('1')]))
    const completions = Object.fromEntries(
      events.flatMap(event => (event.type === 'sample-end' ? [[event.request, event.completion]] : [])),
    )
    expect(completions[0]).toMatchObject({ finish: 'refused' })
    expect(completions[0]!.logprobs[0]).toBeNaN()
    expect(completions[1]).toMatchObject({ finish: 'length', logprobs: Float32Array.of(-0.5) })
  })

  test('prices make a cost of the tokens', async () => {
    const policy = await policyFor(yes, { prices: { promptMillion: 2, completionMillion: 10 } })
    await textsOf(policy.generate([ask('x')]))
    expect(policy.use.cost).toBeCloseTo((10 * 2 + 27 * 10) / 1e6, 12)
  })

  test('reasoning that a server took apart stands before the answer again', async () => {
    const message = { content: '\\boxed{a}', reasoning_content: 'because' }
    const policy = await policyFor(() => ({
      type: 'raw',
      body: JSON.stringify({ choices: [{ index: 0, message, finish_reason: 'stop' }] }),
    }))
    expect(await textsOf(policy.generate([ask('x')]))).toEqual(['<think>because</think>\\boxed{a}'])
  })

  test('live tokens come as they are said', async () => {
    const policy = await policyFor(yes, { liveTokens: true })
    const events = await eventsOf(policy.generate([ask('x')]))
    const said = events.map(({ text }) => text).join('')
    expect(said).toBe('<think>x</think>\\boxed{yes}')
    expect(events.length).toBeGreaterThan(3)
  })
})

describe('what may pass is tried again', () => {
  test.for<[string, ChatReply]>([
    ['500', { type: 'status', status: 500 }],
    ['429', { type: 'status', status: 429, headers: { 'retry-after': '0' } }],
    ['408', { type: 'status', status: 408 }],
    ['a cut stream', { type: 'cut', text: 'half an' }],
    ['a dropped connection', { type: 'drop' }],
    ['nonsense', { type: 'raw', body: '<html>proxy</html>', contentType: 'text/html' }],
    ['wrong JSON', { type: 'raw', body: '{"choices":"none"}' }],
    [
      'an error in the stream',
      { type: 'raw', body: 'data: {"error":{"message":"x"}}\n\n', contentType: 'text/event-stream' },
    ],
    ['an empty stream', { type: 'raw', body: '', contentType: 'text/event-stream' }],
    ['silence', { type: 'hang' }],
  ])('%s', async ([, bad]) => {
    const reasons: string[] = []
    const policy = await policyFor(({ earlier }) => (earlier < 2 ? bad : yes()), {
      deadlineMs: 150,
      onRetry: reason => reasons.push(reason),
    })
    expect(await textsOf(policy.generate([ask('x')]))).toEqual(['<think>x</think>\\boxed{yes}'])
    expect(server!.asked).toHaveLength(3)
    expect(reasons).toHaveLength(2)
  })

  test('the server says when: Retry-After is obeyed, as seconds and as a date', async () => {
    const started = performance.now()
    const date = new Date(Date.now() + 1500).toUTCString() // whole seconds
    const waits = ['0.2', date]
    const policy = await policyFor(({ earlier }) =>
      earlier < 2 ? { type: 'status', status: 429, headers: { 'retry-after': waits[earlier]! } } : yes(),
    )
    await textsOf(policy.generate([ask('x')]))
    expect(performance.now() - started).toBeGreaterThan(500)
  })

  test('until the tries are used up', async () => {
    const policy = await policyFor(() => ({ type: 'status', status: 503 }), { retries: 2 })
    await expect(textsOf(policy.generate([ask('x')]))).rejects.toMatchObject({
      code: 'MODEL_REMOTE_UNAVAILABLE',
      message: expect.stringContaining('3 tries: it answers 503'),
    })
  })

  test('a server that asks for longer than we wait is not waited for', async () => {
    const policy = await policyFor(() => ({ type: 'status', status: 429, headers: { 'retry-after': '9000' } }))
    await expect(textsOf(policy.generate([ask('x')]))).rejects.toMatchObject({ code: 'MODEL_REMOTE_UNAVAILABLE' })
    expect(server!.asked).toHaveLength(1)
  })

  test('a server that answers nothing is asked no more, until a policy is made anew', async () => {
    const options = { circuitFailures: 2, retries: 1, concurrency: 1 }
    const policy = await policyFor(() => ({ type: 'status', status: 500 }), options)
    for (const code of ['MODEL_REMOTE_UNAVAILABLE', 'MODEL_REMOTE_UNAVAILABLE', 'MODEL_REMOTE_CIRCUIT'])
      await expect(textsOf(policy.generate([ask('x')]))).rejects.toMatchObject({ code })
    expect(server!.asked).toHaveLength(4)
  })

  test('many lanes that are asked to wait, or a server that is away for a while, open no circuit', async () => {
    const throttled: ChatReply = { type: 'status', status: 429, headers: { 'retry-after': '0.05' } }
    const policy = await policyFor(({ earlier }) => (earlier < 3 ? throttled : yes()), { concurrency: 32 })
    const requests = Array.from({ length: 64 }, (_, index) => ask(`question ${index}`))
    expect(await textsOf(policy.generate(requests))).toHaveLength(64)
  })

  test('text that was passed on cannot be taken back', async () => {
    const policy = await policyFor(() => ({ type: 'cut', text: 'half an' }), { liveTokens: true })
    await expect(eventsOf(policy.generate([ask('x')]))).rejects.toMatchObject({ code: 'MODEL_REMOTE_CUT' })
    expect(server!.asked).toHaveLength(1)
  })
})

describe('what will not pass is an error at once', () => {
  test.for([401, 403])('%s: the key', async status => {
    const policy = await policyFor(() => ({ type: 'status', status }))
    await expect(textsOf(policy.generate([ask('x')]))).rejects.toMatchObject({
      code: 'MODEL_REMOTE_KEY',
      message: expect.stringContaining('missing'),
    })
    expect(server!.asked).toHaveLength(1)
  })

  test('400 with what the server says', async () => {
    const policy = await policyFor(() => ({
      type: 'status',
      status: 400,
      body: openAi('maximum context length is 8192'),
    }))
    await expect(textsOf(policy.generate([ask('x')]))).rejects.toMatchObject({
      code: 'MODEL_REMOTE_REFUSED',
      message: expect.stringContaining('maximum context length is 8192'),
    })
  })

  const patient = 'Jane Doe\nborn 1950-01-01\nMRN 47110815, chest pain'
  test.for([
    `cannot parse "${patient}"`,
    "invalid token near 'Jane Doe born'",
    `bad value ${JSON.stringify(patient)}`,
    'no such record: 47110815',
    'bad header Authorization: Bearer sk-secret-123',
  ])('but not where it repeats the prompt or the key: %s', async said => {
    const body = JSON.stringify({ error: { message: said } }) // without code and type, as some servers write
    const policy = await policyFor(() => ({ type: 'status', status: 400, body }), { apiKey: 'sk-secret-123' })
    const error: unknown = await textsOf(policy.generate([ask(patient)])).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'MODEL_REMOTE_REFUSED' })
    expect(String(error)).not.toMatch(/Jane|4711|secret/)
  })

  test('a redirect, with the key going nowhere', async () => {
    const policy = await policyFor(() => ({
      type: 'status',
      status: 302,
      headers: { location: 'http://127.0.0.1:9/' },
    }))
    await expect(textsOf(policy.generate([ask('x')]))).rejects.toMatchObject({ code: 'MODEL_REMOTE_REFUSED' })
    expect(server!.asked).toHaveLength(1)
  })

  test('a key of two lines', () => {
    expect(() => new RemotePolicy({ url: 'http://host/v1', model: 'm', apiKey: 'sk-1\nsk-2' })).toThrow(
      expect.objectContaining({ code: 'MODEL_REMOTE_KEY_TEXT' }),
    )
  })

  test('an ECG where nothing says how, tokens, a grammar', async () => {
    const policy = await policyFor(yes)
    const ecg = { leads: ['I'], samplingRateHz: 250, signalMv: [new Float32Array(4)] }
    const prompt: Message[] = [{ role: 'user', content: [{ type: 'ecg', ecg }] }]
    await expect(textsOf(policy.generate([{ prompt }]))).rejects.toMatchObject({ code: 'MODEL_REMOTE_ECG' })
    const grammar = { type: 'text', value: 'x' } as unknown as NonNullable<GenerateRequest['grammar']> // any grammar
    await expect(textsOf(policy.generate([{ ...ask('x'), grammar }]))).rejects.toMatchObject({
      code: 'MODEL_REMOTE_UNSUPPORTED',
    })
    expect(server!.asked).toHaveLength(0)
  })

  test.for(['nonsense', 'ftp://host/v1', 'http://user:key@host/v1', 'http://host/v1?key=1', 'http://host/v1#key=1'])(
    'the address %s',
    url => {
      expect(() => new RemotePolicy({ url, model: 'm' })).toThrow(expect.objectContaining({ code: 'MODEL_REMOTE_URL' }))
      expect(() => new RemotePolicy({ url, model: 'm' })).not.toThrow(/key=1|user:key/)
    },
  )
})

describe('pace and end', () => {
  test('no more requests at a time than allowed', async () => {
    const policy = await policyFor(async () => (await new Promise(resolve => setTimeout(resolve, 20)), yes()), {
      concurrency: 3,
    })
    const texts = await textsOf(policy.generate(Array.from({ length: 12 }, (_, index) => ask(String(index)))))
    expect(texts).toHaveLength(12)
    expect(server!.mostOpen).toBe(3)
  })

  test('no faster than allowed', async () => {
    const policy = await policyFor(yes, { requestsPerMinute: 600, concurrency: 8 })
    const started = performance.now()
    await textsOf(policy.generate(Array.from({ length: 4 }, (_, index) => ask(String(index)))))
    expect(performance.now() - started).toBeGreaterThan(290)
  })

  test('an abort ends what is under way and what waits', async () => {
    const policy = await policyFor(() => ({ type: 'hang' }), { concurrency: 1 })
    const ending = new AbortController()
    setTimeout(() => ending.abort(new Error('enough')), 50)
    await expect(textsOf(policy.generate([ask('a'), ask('b')], { signal: ending.signal }))).rejects.toThrow('enough')
    expect(server!.asked).toHaveLength(1)
  })
})

import { deflateSync, crc32 } from 'node:zlib'
import { presetNamed } from '@qoq-med/rewards'
import { describe, expect, test } from 'vitest'
import { createServer, type ServerOptions } from './create-server.ts'
import { fakePolicy } from './fake-policy.testing.ts'

const question = [{ role: 'user', content: 'Which rhythm?' }]

async function post(url: string, payload: object | string, options: Partial<ServerOptions> = {}) {
  const app = createServer({ policy: fakePolicy(), ...options })
  const headers = { 'content-type': 'application/json' }
  const response = await app.inject({ method: 'POST', url, payload, headers })
  await app.close()
  return { status: response.statusCode, body: response.json(), text: response.body }
}

const chat = (payload: object | string) => post('/v1/chat/completions', payload)
const ecg = (fs: number, leads: Record<string, readonly number[]>) => ({
  messages: [{ role: 'user', content: [{ type: 'input_ecg', input_ecg: { fs, units: 'mV', leads } }] }],
})
const many = <Value>(count: number, value: Value): Value[] => Array.from({ length: count }, () => value)
const manyKeys = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, 'v']))

describe('what is counted before it is looked at closer', () => {
  test.for<{ name: string; payload: object | string; says: string }>([
    { name: 'messages', payload: { messages: many(500_000, question[0]) }, says: '500000 messages' },
    { name: 'empty messages', payload: { messages: many(400_000, {}) }, says: '400000 messages' },
    {
      name: 'parts',
      payload: { messages: [{ role: 'user', content: many(300_000, { type: 'text', text: '' }) }] },
      says: '300000 parts',
    },
    { name: 'metadata', payload: { messages: question, metadata: manyKeys(500_000) }, says: '500000 metadata keys' },
    { name: 'a stop string', payload: { messages: question, stop: 'x'.repeat(1_000_000) }, says: '1000000 characters' },
    { name: 'stop strings', payload: { messages: question, stop: many(400_000, 'stop') }, says: 'characters of stop' },
    {
      name: 'leads',
      payload: ecg(500, Object.fromEntries(many(90_000, 0).map((_, i) => [`L${i}`, [0]]))),
      says: '90000 leads',
    },
    { name: 'samples of an ECG', payload: ecg(500, { I: many(2_000_000, 0) }), says: '2000000 ECG samples' },
    { name: 'samples after resampling', payload: ecg(50, { I: many(900_000, 0) }), says: '4500000 ECG samples after' },
    { name: 'nested brackets', payload: '['.repeat(5_000_000), says: 'nested brackets' },
    { name: 'nested objects in a text that is no JSON', payload: '{"a":'.repeat(100_000), says: 'nested brackets' },
    {
      name: 'lists',
      payload: { messages: [{ role: 'user', content: many(1_100_000, []) }] },
      says: 'brackets',
    },
    { name: 'lists in a text that is no JSON', payload: '[],'.repeat(1_100_000), says: '1048577 brackets' },
  ])('refuses too many $name at once', async ({ payload, says }) => {
    const { status, body } = await chat(payload)
    expect({ status, ...body.error }).toMatchObject({ status: 400, code: 'SERVER_LIMIT_EXCEEDED' })
    expect(body.error.message).toContain(says)
  })

  test('refuses too many leads of an ECG in the field of a form', async () => {
    const leads = Object.fromEntries(Array.from({ length: 50_000 }, (_, i) => [`L${i}`, [0]]))
    const form = new FormData()
    form.append('request', JSON.stringify({ labels: ['a', 'b'], ecgs: [{ fs: 500, units: 'mV', leads }] }))
    const sent = new Response(form)
    const app = createServer({ policy: fakePolicy(), limits: { leads: 40_000 } })
    const response = await app.inject({
      method: 'POST',
      url: '/v1/diagnose',
      headers: { 'content-type': sent.headers.get('content-type') ?? '', 'x-qoq-request': '1' },
      payload: Buffer.from(await sent.arrayBuffer()),
    })
    await app.close()
    expect(response.json().error).toMatchObject({
      code: 'SERVER_LIMIT_EXCEEDED',
      message: expect.stringContaining('50000 leads'),
    })
  })

  test.for([1, 8, 49.9])('refuses an ECG at %d Hz', async fs => {
    const { body } = await chat(ecg(fs, { I: many(5000, 0) }))
    expect(body.error).toMatchObject({ code: 'SERVER_ECG_RATE', message: expect.stringContaining(`${fs} Hz`) })
  })

  test.for([
    { url: '/v1/rewards', payload: { rows: many(200_000, {}) } },
    { url: '/v1/advantages', payload: { estimator: 'grpo', rewards: many(500_000, 0), questionIds: [], domains: [] } },
    {
      url: '/v1/advantages',
      payload: { estimator: 'gae', rewards: [0], questionIds: [0], domains: ['a'], values: [many(2_100_000, 0)] },
    },
  ])('refuses too many rows at $url', async ({ url, payload }) => {
    expect((await post(url, payload)).body.error.code).toBe('SERVER_LIMIT_EXCEEDED')
  })

  test('brackets in texts do not nest', async () => {
    const { status } = await chat({ messages: [{ role: 'user', content: '[{"\\'.repeat(1000) }] })
    expect(status).toBe(200)
  })

  test.for(['{', '{"messages": [', '{"__proto__": {"a": 1}}', 'nothing'])('refuses %s as no JSON', async payload => {
    expect((await chat(payload)).body.error.code).toBe('SERVER_BODY_NOT_JSON')
  })
})

describe('words of a client', () => {
  test.for([true, false])('are in no error of an answer that has begun (stream: %j)', async stream => {
    const fake = fakePolicy({ words: ['a'] })
    const policy = {
      ...fake,
      generate: async function* (...given: Parameters<typeof fake.generate>) {
        for await (const event of fake.generate(...given)) {
          yield event
          presetNamed('Hans Meier') // throws
        }
      },
    }
    const payload = { stream, messages: [{ role: 'user', content: 'Hans Meier' }] }
    const { body } = await createServer({ policy }).inject({ method: 'POST', url: '/v1/chat/completions', payload })
    expect(body).toContain('There is no preset named (withheld)')
    expect(body).not.toContain('Meier')
  })

  const secret = 'Doe, Jane 1956-03-02'
  const row = { id: 1, response: secret, answer: ['A'] }
  test.for<{ name: string; url?: string; payload: object }>([
    { name: 'an unknown field', payload: { messages: question, [secret]: 1 } },
    { name: 'an unknown field of a message', payload: { messages: [{ ...question[0], [secret]: 1 }] } },
    { name: 'a metadata key', payload: { messages: question, metadata: { [secret]: 1 } } },
    { name: 'a lead name', payload: ecg(500, { [secret]: ['x' as never] }) },
    { name: 'a model name', payload: { messages: question, model: secret } },
    { name: 'a role', payload: { messages: [{ role: secret, content: 'x' }] } },
    {
      name: 'a unit',
      payload: {
        messages: [{ role: 'user', content: [{ type: 'input_ecg', input_ecg: { fs: 1, units: secret, leads: {} } }] }],
      },
    },
    {
      name: 'an address',
      payload: {
        messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: `https://${secret}` } }] }],
      },
    },
    { name: 'a preset', url: '/v1/rewards', payload: { rows: [row], preset: secret } },
    { name: 'a reward', url: '/v1/rewards', payload: { rows: [row], weights: { [secret]: 1 } } },
    { name: 'an alias', url: '/v1/rewards', payload: { rows: [{ ...row, aliases: { [secret]: 1 } }] } },
    {
      name: 'an estimator',
      url: '/v1/advantages',
      payload: { estimator: secret, rewards: [1], questionIds: [secret], domains: [secret] },
    },
    {
      name: 'an option',
      url: '/v1/advantages',
      payload: {
        estimator: 'drpo',
        options: { [secret]: 1 },
        rewards: [1, 0],
        questionIds: ['a', 'a'],
        domains: ['d', 'd'],
      },
    },
    {
      name: 'a field of a batch',
      url: '/v1/advantages',
      payload: { estimator: 'drpo', rewards: [1], questionIds: [secret], domains: [secret], [secret]: 1 },
    },
    {
      name: 'a text for a number',
      url: '/v1/advantages',
      payload: { estimator: 'drpo', rewards: [secret], questionIds: [secret], domains: [secret] },
    },
    {
      name: 'a domain',
      url: '/v1/advantages',
      payload: { estimator: 'drpo', rewards: [1, 0], questionIds: [secret, secret], domains: [secret, 'other'] },
    },
  ])('do not come back in an error: $name', async ({ url = '/v1/chat/completions', payload }) => {
    const { status, text } = await post(url, payload)
    expect(status).toBeGreaterThanOrEqual(400)
    for (const word of secret.split(/[ ,]+/)) expect(text).not.toContain(word)
  })
})

const pngChunk = (type: string, data: Buffer): Buffer => {
  const body = Buffer.concat([Buffer.from(type), data])
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)]
  length.writeUInt32BE(data.length)
  sum.writeUInt32BE(crc32(body))
  return Buffer.concat([length, body, sum])
}

/** A PNG of half transparent pixels (8-bit RGBA). */
function clearPng(side: number): Buffer {
  const header = Buffer.from('00000000000000000806000000', 'hex')
  header.writeUInt32BE(side)
  header.writeUInt32BE(side, 4)
  const row = Buffer.concat([Buffer.alloc(1), Buffer.alloc(4 * side, 0x80)])
  const pixels = deflateSync(Buffer.concat(Array.from({ length: side }, () => row)))
  const signature = Buffer.from('89504e470d0a1a0a', 'hex')
  return Buffer.concat([
    signature,
    pngChunk('IHDR', header),
    pngChunk('IDAT', pixels),
    pngChunk('IEND', Buffer.alloc(0)),
  ])
}

/** A bitmap of white pixels. */
function bitmap(width: number, height: number): Buffer {
  const pixel = Buffer.alloc(54 + Math.ceil((width * 3) / 4) * 4 * height, 255)
  pixel.write('BM')
  for (const [at, value] of [
    [10, 54],
    [14, 40],
    [18, width],
    [22, height],
  ] as const)
    pixel.writeUInt32LE(value, at)
  pixel.writeUInt16LE(1, 26)
  pixel.writeUInt16LE(24, 28)
  pixel.writeUInt32LE(0, 30)
  return pixel
}

const bitmapUrl = (width: number, height: number) => `data:image/bmp;base64,${bitmap(width, height).toString('base64')}`

describe('what official clients send', () => {
  test('its own answer comes back in the next turn, as the Python and Node clients keep it', async () => {
    const first = await chat({ messages: question })
    const kept = {
      ...first.body.choices[0].message,
      annotations: null,
      audio: null,
      function_call: null,
      tool_calls: null,
    }
    const next = { role: 'user', content: 'Sure?', name: 'radiologist' }
    expect((await chat({ messages: [...question, first.body.choices[0].message, next] })).status).toBe(200)
    expect((await chat({ messages: [...question, kept, next] })).status).toBe(200)
  })

  test.for<object>([
    { tools: [], tool_choice: null },
    { tools: null, tool_choice: 'none', parallel_tool_calls: true },
    { functions: null, function_call: null, logit_bias: null },
    { logit_bias: {}, metadata: null, user: null, stop: null, stream_options: null },
    { max_tokens: null, max_completion_tokens: 4, service_tier: 'auto', modalities: ['text'] },
  ])('fields without a value are passed over: %j', async fields => {
    expect((await chat({ messages: question, ...fields })).status).toBe(200)
  })

  test.for<object>([{ tools: [{ type: 'function' }] }, { logit_bias: { 5: 1 } }, { modalities: ['audio'] }])(
    'fields that would change the answer are refused: %j',
    async fields => {
      expect((await chat({ messages: question, ...fields })).status).toBe(400)
    },
  )

  test('a model is retrieved by its name, which may have slashes', async () => {
    const policy = { ...fakePolicy(), info: { ...fakePolicy().info, name: 'group/model-7b' } }
    const app = createServer({ policy })
    const known = await app.inject('/v1/models/group/model-7b')
    const other = await app.inject('/v1/models/other')
    await app.close()
    expect(known.json()).toMatchObject({ id: 'group/model-7b', object: 'model' })
    expect(other.statusCode).toBe(404)
  })

  test.for([
    { name: 'in lines of 76', change: (text: string) => text.replaceAll(/(.{76})/g, '$1\n') },
    { name: 'with blanks before it', change: (text: string) => ` ${text}` },
    {
      name: 'for addresses, without padding',
      change: (text: string) => text.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, ''),
    },
  ])('base64 $name is read', async ({ change }) => {
    const pixel = bitmap(4, 16)
    const url = `data:image/bmp;base64,${change(pixel.toString('base64'))}`
    for (const image_url of [{ url }, url]) {
      const { status, text } = await chat({ messages: [{ role: 'user', content: [{ type: 'image_url', image_url }] }] })
      expect({ status, text: status === 200 ? '' : text }).toEqual({ status: 200, text: '' })
    }
  })
})

describe('pictures', () => {
  const boxes = '[{"bbox_2d": [7, 7, 14, 28], "label": "Mass"}, {"bbox_2d": [0, 0, 1, 1], "image": 5}]'

  test('have their sizes and the boxes of answers in their own pixels, in a document and in a stream', async () => {
    const fake = fakePolicy({ words: [`<think>a</think>${boxes}`] })
    const policy = { ...fake, seenSize: () => ({ width: 28, height: 28 }) }
    const payload = { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: bitmapUrl(4, 16) }] }] }
    const { body } = await post('/v1/chat/completions', payload, { policy })
    expect(body.pictures).toEqual([{ width: 4, height: 16, seen: { width: 28, height: 28 } }])
    expect(body.choices[0].boxes).toEqual([{ image: 0, label: 'Mass', bbox_2d: [1, 4, 2, 16] }])
    const app = createServer({ policy })
    const streamed = await app.inject({
      method: 'POST',
      url: '/v1/chat/completions',
      payload: { ...payload, stream: true },
    })
    await app.close()
    expect(streamed.body).toContain('"pictures":[{"width":4,"height":16,"seen":{"width":28,"height":28}}]')
    expect(streamed.body).toContain('"boxes":[{"image":0,"label":"Mass","bbox_2d":[1,4,2,16]}]')
  })

  test('say what was changed in them', async () => {
    const data = clearPng(8)
    const url = `data:image/png;base64,${data.toString('base64')}`
    const { body } = await chat({ messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url } }] }] })
    expect(body.warnings).toEqual(['messages.0.content.0.image_url: transparent parts were laid on white'])
  })
})

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { crc32, deflateSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { createServer, type ServerOptions } from '../create-server.ts'
import { fakePolicy } from '../fake-policy.testing.ts'

const question = [{ role: 'user', content: 'Is it normal?' }]

/** A bitmap of width × height white pixels; with `claims`, only its header. */
function bitmap(width: number, height: number, { isEmpty = false } = {}): Buffer {
  const rowBytes = Math.ceil((width * 24) / 32) * 4
  const bytes = Buffer.alloc(54 + (isEmpty ? 0 : rowBytes * height), 255)
  bytes.write('BM')
  bytes.writeUInt32LE(54, 10)
  bytes.writeUInt32LE(40, 14)
  bytes.writeInt32LE(width, 18)
  bytes.writeInt32LE(height, 22)
  bytes.writeUInt16LE(1, 26)
  bytes.writeUInt16LE(24, 28)
  bytes.writeUInt32LE(0, 30)
  return bytes
}

/** A PNG that claims a size and holds the pixels of one row. */
function png(width: number, height: number): Buffer {
  const header = Buffer.from('00000000000000000800000000', 'hex') // 8-bit grey
  header.writeUInt32BE(width)
  header.writeUInt32BE(height, 4)
  const signature = Buffer.from('89504e470d0a1a0a', 'hex')
  const pixels = deflateSync(Buffer.alloc(width + 1))
  return Buffer.concat([signature, ...pngChunk('IHDR', header), ...pngChunk('IDAT', pixels), ...pngChunk('IEND')])
}

function pngChunk(type: string, data: Buffer = Buffer.alloc(0)): readonly Buffer[] {
  const body = Buffer.concat([Buffer.from(type), data])
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)]
  length.writeUInt32BE(data.length)
  sum.writeUInt32BE(crc32(body))
  return [length, body, sum]
}

const dataUrl = (bytes: Buffer): string => `data:image/bmp;base64,${bytes.toString('base64')}`
const imagePart = (url: string) => ({ type: 'image_url', image_url: { url } })
const withParts = (...content: object[]) => ({ messages: [{ role: 'user', content }] })

async function post(payload: object, options: Partial<ServerOptions> = {}) {
  const app = createServer({ policy: fakePolicy(), ...options })
  const response = await app.inject({ method: 'POST', url: '/v1/chat/completions', payload })
  await app.close()
  return response
}

/** The documents of a stream; `[DONE]` stays a text. */
function eventsOf(body: string): unknown[] {
  return body
    .split('\n\n')
    .filter(event => event !== '')
    .map(event => {
      const data = event.replace(/^data: /, '')
      return data === '[DONE]' ? data : JSON.parse(data)
    })
}

describe('POST /v1/chat/completions', () => {
  test('answers in the form of OpenAI, with counted tokens and the notice', async () => {
    const response = await post({ model: 'fake', messages: question, seed: 5 })
    expect(response.statusCode).toBe(200)
    expect(response.headers).toMatchObject({ 'x-qoq-notice': 'Research use only, not a medical device' })
    expect(response.json()).toEqual({
      id: `chatcmpl-${String(response.headers['x-request-id'])}`,
      object: 'chat.completion',
      created: expect.any(Number),
      model: 'fake',
      seed: 5,
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: 'It is normal.', refusal: null },
          logprobs: null,
          finish_reason: 'stop',
        },
      ],
      usage: { prompt_tokens: 1, completion_tokens: 3, total_tokens: 4 },
    })
  })

  test('hands every option to the policy', async () => {
    const policy = fakePolicy()
    const options = { n: 2, temperature: 0.5, top_p: 0.9, seed: 7, max_tokens: 20, stop: 'END', user: 'someone' }
    const sent = { messages: question, ...options, logprobs: true, top_logprobs: 3 }
    const response = await post(sent, { policy })
    expect(response.json().choices).toHaveLength(2)
    const asked = { samples: 2, temperature: 0.5, topP: 0.9, seed: 7, maxNewTokens: 20, stop: ['END'], topLogprobs: 3 }
    expect(policy.requests).toEqual([expect.objectContaining(asked)])
  })

  test('takes null for a field that is left out, and draws a seed', async () => {
    const policy = fakePolicy()
    const nulls = { n: null, temperature: null, stop: null, seed: null, max_tokens: null, stream: null }
    const response = await post({ messages: question, ...nulls }, { policy, nextSeed: () => 99 })
    expect(response.json().seed).toBe(99)
    const asked = { samples: 1, temperature: 1, topP: 1, seed: 99, maxNewTokens: 512, stop: [] }
    expect(policy.requests).toEqual([expect.objectContaining(asked)])
  })

  test('says that an answer was cut off', async () => {
    const response = await post({ messages: question }, { policy: fakePolicy({ finish: 'length' }) })
    expect(response.json().choices[0].finish_reason).toBe('length')
  })

  test('gives log-probabilities with the bytes of every token', async () => {
    const response = await post({ messages: question, logprobs: true, top_logprobs: 1 })
    const [first] = response.json().choices[0].logprobs.content
    const token = { token: 'It ', logprob: -0.5, bytes: [73, 116, 32] }
    expect(first).toEqual({ ...token, top_logprobs: [token] })
  })

  test('leaves usage out where the policy does not count tokens', async () => {
    const policy = fakePolicy({ hasTokens: false })
    const response = await post({ messages: question, logprobs: true }, { policy })
    expect(response.json()).not.toHaveProperty('usage')
    expect(response.json().choices[0].logprobs.content[0]).toMatchObject({ token: 'It ', bytes: null })
  })

  test('reports a policy that gives too few answers', async () => {
    const response = await post({ messages: question }, { policy: fakePolicy({ isMute: true }) })
    expect(response.statusCode).toBe(500)
    expect(response.json().error.code).toBe('SERVER_ANSWER_MISSING')
  })
})

/** An ECG of the fixtures as a file part. */
const ecgFile = (name: string, change: (text: string) => string = text => text) => {
  const file = fileURLToPath(new URL(`../../../data-climb/fixtures/ecg-files/${name}`, import.meta.url))
  const bytes = Buffer.from(change(readFileSync(file, 'latin1')), 'latin1')
  return { type: 'file', file: { filename: 'Jane Doe.xml', file_data: `data:;base64,${bytes.toString('base64')}` } }
}

describe('media of a chat', () => {
  test('decodes pictures and ECGs, in their order', async () => {
    const policy = fakePolicy()
    const ecg = { fs: 500, units: 'uV', leads: { I: [1000, -500], II: [0, 250] } }
    const text = { type: 'text', text: 'What is this?' }
    const parts = withParts(imagePart(dataUrl(bitmap(3, 2))), { type: 'input_ecg', input_ecg: ecg }, text)
    expect((await post(parts, { policy })).statusCode).toBe(200)
    expect(policy.requests.map(({ prompt }) => prompt)).toEqual([
      [
        {
          role: 'user',
          content: [
            { type: 'image', image: { width: 3, height: 2, data: new Uint8Array(18).fill(255) } },
            {
              type: 'ecg',
              ecg: {
                leads: ['I', 'II'],
                samplingRateHz: 500,
                signalMv: [Float32Array.of(1, -0.5), Float32Array.of(0, 0.25)],
              },
            },
            text,
          ],
        },
      ],
    ])
  })

  test.for(['twelve.dcm', 'prefixed-origin.aecg.xml', 'muse.xml', 'sierra-1.04-xli.xml', 'subtracted.scp'])(
    'reads the ECG file %s',
    async name => {
      const policy = fakePolicy()
      expect((await post(withParts(ecgFile(name), { type: 'text', text: '?' }), { policy })).statusCode).toBe(200)
      expect(policy.requests[0]?.prompt).toMatchObject([
        { content: [{ type: 'ecg', ecg: { leads: { length: 12 } } }, {}] },
      ])
    },
  )

  test.for([
    {
      name: 'a file that is no ECG',
      part: { type: 'file', file: { file_data: 'data:;base64,aGVsbG8=' } },
      code: 'DATA_FORMAT_UNKNOWN',
    },
    {
      name: 'a file that is cut off',
      part: ecgFile('muse.xml', text => text.slice(0, 3000)),
      code: 'DATA_ECG_INVALID',
    },
    {
      name: 'a file by address',
      part: { type: 'file', file: { file_data: 'https://example.invalid/x.xml' } },
      code: 'SERVER_REMOTE_URL_REFUSED',
    },
    {
      name: 'a slow recording',
      part: ecgFile('muse.xml', text => text.replaceAll('<SampleBase>500', '<SampleBase>8')),
      code: 'SERVER_ECG_RATE',
    },
  ])('refuses $name, and does not repeat its name', async ({ part, code }) => {
    const response = await post(withParts(part))
    expect([response.statusCode, response.json().error.code]).toEqual([400, code])
    expect(response.payload).not.toContain('Jane')
  })

  test.for([
    { name: 'a remote address', url: 'https://example.invalid/x.png', status: 400, code: 'SERVER_REMOTE_URL_REFUSED' },
    { name: 'a file', url: 'file:///etc/passwd', status: 400, code: 'SERVER_REMOTE_URL_REFUSED' },
    { name: 'a path', url: '../x.png', status: 400, code: 'SERVER_REMOTE_URL_REFUSED' },
    { name: 'a data URL without base64', url: 'data:image/png,abc', status: 400, code: 'SERVER_DATA_URL_INVALID' },
    { name: 'other characters', url: 'data:image/png;base64,a*b', status: 400, code: 'SERVER_DATA_URL_INVALID' },
    { name: 'an empty picture', url: 'data:image/png;base64,', status: 400, code: 'SERVER_DATA_URL_INVALID' },
    { name: 'an SVG', url: dataUrl(Buffer.from('<svg/>')), status: 400, code: 'SERVER_IMAGE_FORMAT' },
    { name: 'a cut picture', url: dataUrl(bitmap(9, 9).subarray(0, 60)), status: 400, code: 'DATA_IMAGE_UNREADABLE' },
    {
      name: 'a picture that claims too many pixels',
      url: dataUrl(bitmap(20_000, 20_000, { isEmpty: true })),
      status: 413,
      code: 'DATA_IMAGE_TOO_LARGE',
    },
  ])('refuses $name', async ({ url, status, code }) => {
    const policy = fakePolicy()
    const response = await post(withParts(imagePart(url)), { policy })
    expect({ status: response.statusCode, code: response.json().error.code }).toEqual({ status, code })
    expect(policy.requests).toEqual([])
  })

  test('counts the pixels of all pictures of a request', async () => {
    const picture = imagePart(dataUrl(bitmap(4, 4)))
    const limits = { imagePixels: 40 }
    expect((await post(withParts(picture, picture), { limits })).statusCode).toBe(200)
    expect((await post(withParts(picture, picture, picture), { limits })).statusCode).toBe(413)
  })

  test('refuses a decompression bomb by its header', async () => {
    const bomb = png(12_000, 12_000) // 432 MB of RGB, were it to be decoded
    expect(bomb.length).toBeLessThan(1000)
    const response = await post(withParts(imagePart(dataUrl(bomb))))
    expect(response.json().error).toMatchObject({
      code: 'DATA_IMAGE_TOO_LARGE',
      message: expect.stringContaining('12000 x 12000'),
    })
    expect((await post(withParts(imagePart(dataUrl(png(1, 1)))))).statusCode).toBe(200)
  })
})

describe('limits of a chat', () => {
  const ecg = { type: 'input_ecg', input_ecg: { fs: 100, units: 'mV', leads: { I: [0, 0, 0], II: [0, 0, 0] } } }
  const picture = imagePart(dataUrl(bitmap(1, 1)))
  const ecgFiles = { type: 'file', file: { file_data: 'data:;base64,aGVsbG8=' } }
  test.for([
    { name: 'answers', payload: { messages: question, n: 3 }, limits: { answers: 2 } },
    { name: 'tokens', payload: { messages: question, max_tokens: 30 }, limits: { newTokens: 20 } },
    { name: 'characters', payload: { messages: [...question, ...question] }, limits: { textCharacters: 20 } },
    { name: 'pictures', payload: withParts(picture, picture), limits: { images: 1 } },
    { name: 'ECG samples', payload: withParts(ecg), limits: { ecgSamples: 5 } },
    { name: 'files', payload: withParts(ecgFiles, ecgFiles), limits: { files: 1 } },
    { name: 'characters of a file', payload: withParts(ecgFiles), limits: { fileCharacters: 10 } },
  ])('refuses too many $name', async ({ payload, limits }) => {
    const response = await post(payload, { limits })
    expect(response.statusCode).toBe(400)
    expect(response.json().error).toMatchObject({ code: 'SERVER_LIMIT_EXCEEDED', type: 'invalid_request_error' })
  })

  test('refuses a body before it is read whole', async () => {
    const response = await post(
      { messages: [{ role: 'user', content: 'x'.repeat(2000) }] },
      { limits: { bodyBytes: 1000 } },
    )
    expect(response.statusCode).toBe(413)
    expect(response.json().error).toMatchObject({
      code: 'SERVER_BODY_TOO_LARGE',
      message: expect.stringContaining('1000'),
    })
  })
})

const invalid = (message: string) => ({ status: 400, code: 'SERVER_REQUEST_INVALID', message })

describe('bodies that do not fit', () => {
  test.for([
    { name: 'no messages', payload: {}, want: invalid('The body lacks the field messages.') },
    {
      name: 'an empty conversation',
      payload: { messages: [] },
      want: invalid('Field messages must not be empty.'),
    },
    {
      name: 'an unknown field',
      payload: { messages: question, grammar: 'x' },
      want: invalid(
        expect.stringMatching(/^The body has a field that is not known here; known are model, messages, n,/),
      ),
    },
    {
      name: 'a number as a text',
      payload: { messages: question, n: '2' },
      want: invalid('Field n must be a whole number.'),
    },
    {
      name: 'a temperature of 3',
      payload: { messages: question, temperature: 3 },
      want: invalid('Field temperature must be at most 2.'),
    },
    {
      name: 'an unknown role',
      payload: { messages: [{ role: 'doctor', content: 'Hm.' }] },
      want: invalid('Field messages.0.role must be one of system, developer, user, assistant.'),
    },
    {
      name: 'an unknown part',
      payload: withParts({ type: 'audio' }),
      want: invalid('Field messages.0.content.0 has a type that is not known.'),
    },
    {
      name: 'a lead that is no list',
      payload: withParts({ type: 'input_ecg', input_ecg: { fs: 1, units: 'mV', leads: { I: 'x' } } }),
      want: invalid('Field messages.0.content.0.input_ecg.leads.I must be a list.'),
    },
    {
      name: 'an unknown unit',
      payload: withParts({ type: 'input_ecg', input_ecg: { fs: 1, units: 'kV', leads: { I: [1] } } }),
      want: invalid('Field messages.0.content.0.input_ecg.units must be one of V, mV, uV, µV.'),
    },
    {
      name: 'another model',
      payload: { model: 'gpt', messages: question },
      want: {
        status: 404,
        code: 'SERVER_MODEL_UNKNOWN',
        message: 'The model that the request names is not served; fake is.',
      },
    },
  ])('refuses $name', async ({ payload, want }) => {
    const response = await post(payload)
    const { code, message, hint } = response.json().error
    // Clients show the message alone: it ends with what to do.
    expect(message).toMatch(/.\. .+\.$/)
    expect(message.endsWith(` ${hint}`)).toBe(true)
    const sentence = message.slice(0, -hint.length - 1)
    expect({ status: response.statusCode, code, message: sentence }).toEqual(want)
  })
})

describe('streams', () => {
  test('writes a chunk per piece of text, usage and [DONE]', async () => {
    const response = await post({ messages: question, stream: true, seed: 1, stream_options: { include_usage: true } })
    expect(response.headers['content-type']).toBe('text/event-stream; charset=utf-8')
    const events = eventsOf(response.body)
    const head = { object: 'chat.completion.chunk', model: 'fake', seed: 1 }
    const said = (content: string) => ({ ...head, choices: [{ index: 0, delta: { content }, finish_reason: null }] })
    expect(events).toMatchObject([
      { ...head, choices: [{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }] },
      said('It '),
      said('is '),
      said('normal.'),
      { ...head, choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] },
      { ...head, choices: [], usage: { prompt_tokens: 1, completion_tokens: 3, total_tokens: 4 } },
      '[DONE]',
    ])
  })

  test('tells answers apart, with log-probabilities', async () => {
    const response = await post({ messages: question, stream: true, n: 2, logprobs: true })
    const chunks = eventsOf(response.body).slice(0, -1)
    const text = { 0: '', 1: '' }
    for (const chunk of chunks as { choices: [{ index: 0 | 1; delta: { content?: string } }] }[])
      text[chunk.choices[0].index] += chunk.choices[0].delta.content ?? ''
    expect(text).toEqual({ 0: 'It is normal.', 1: 'It is normal.' })
    expect(chunks[2]).toMatchObject({ choices: [{ logprobs: { content: [{ token: 'It ', logprob: -0.5 }] } }] })
  })

  test('ends with an error object when the policy fails on the way', async () => {
    const policy = fakePolicy({ failure: new Error('secret of a patient') })
    const events = eventsOf((await post({ messages: question, stream: true }, { policy })).body)
    expect(events.at(-1)).toMatchObject({ error: { code: 'SERVER_UNEXPECTED', type: 'server_error' } })
    expect(JSON.stringify(events)).not.toContain('secret')
  })

  test('gives a status to what fails before the first token', async () => {
    const policy = fakePolicy({ failure: new Error('broken'), failsAt: 'start' })
    const response = await post({ messages: question, stream: true }, { policy })
    expect(response.statusCode).toBe(500)
    expect(response.json().error.code).toBe('SERVER_UNEXPECTED')
  })
})

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type ContentPart, loadModel } from '@qoq-med/model'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runCommandLine } from '../run-command-line.ts'
import { errorOf, runInProcess } from '../run-in-process.testing.ts'
import { writeTinyModel } from '../tiny-model.testing.ts'

let cwd = ''
beforeAll(async () => {
  cwd = await mkdtemp(path.join(tmpdir(), 'qoq-serve-'))
  await writeTinyModel(path.join(cwd, 'tiny'))
})
afterAll(() => rm(cwd, { recursive: true, force: true }))

const tokens = 12
const messages = [{ role: 'user', content: 'Which label fits this MRI?' }] as const
const leads = Object.fromEntries(
  ['I', 'II', 'V1', 'V2', 'V3', 'V4', 'V5', 'V6'].map((name, lead) => [
    name,
    Array.from({ length: 500 }, (_, i) => Math.round(1000 * Math.sin(i / (3 + lead))) / 1000),
  ]),
)
/** A picture of one grey pixel. */
const png =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg=='

/** Runs `qoq` until `stop` is called, as Ctrl-C does. */
function serve(...argv: string[]) {
  const line = Promise.withResolvers<string>()
  const errors: string[] = []
  const controller = new AbortController()
  const exitCode = runCommandLine(argv, {
    stdin: (async function* () {})(),
    stdout: { write: line.resolve },
    stderr: { write: text => errors.push(text) },
    env: { XDG_CONFIG_HOME: cwd },
    cwd,
    signal: controller.signal,
  })
  return { exitCode, stop: () => controller.abort(), line: line.promise, stderr: () => errors.join('') }
}

/** The text of one answer of a stream. */
function textOf(stream: string, index: number): string {
  const chunks = stream.split('\n\n').filter(event => event.startsWith('data: {'))
  const choices = chunks.flatMap(chunk => JSON.parse(chunk.slice('data: '.length)).choices)
  return choices.map(choice => (choice.index === index ? (choice.delta.content ?? '') : '')).join('')
}

/** Tokens of the same prompt, straight from the model. */
async function promptTokens(content: readonly ContentPart[]): Promise<number> {
  const { model } = await loadModel(path.join(cwd, 'tiny'), { trainable: () => false })
  return model.encode([{ role: 'user', content }]).tokenIds.length
}

/** A chat completion or an error, as a document. */
async function documentOf(response: Promise<Response>) {
  const { status, body } = await response.then(async one => ({ status: one.status, body: await one.text() }))
  return { status, ...JSON.parse(body) }
}

const ask = (...content: object[]) => ({ messages: [{ role: 'user', content }] })

describe('qoq serve with a real model', () => {
  let server: ReturnType<typeof serve>
  let address = ''
  beforeAll(async () => {
    server = serve('serve', '--model', 'tiny', '--port', '0', '--threads', '1', '--json')
    address = JSON.parse(await server.line).address
  })

  const chat = async (body: object): Promise<Response> =>
    fetch(`${address}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ messages, max_tokens: tokens, temperature: 1, seed: 4, ...body }),
    })

  test('prints where it listens', async () => {
    expect(JSON.parse(await server.line)).toEqual({
      address: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      model: 'tiny',
      notice: 'Research use only, not a medical device',
    })
  })

  test('answers as the command line does, whole and streamed', async () => {
    await writeFile(path.join(cwd, 'text.json'), JSON.stringify(messages))
    const argv = ['--max-new-tokens', `${tokens}`, '--temperature', '1', '--seed', '4', '--threads', '1', '--json']
    const generated = await runInProcess(['model', 'generate', 'tiny', '--messages', 'text.json', ...argv], { cwd })
    const { text, prompt_tokens } = JSON.parse(generated.stdout)
    const whole = await documentOf(chat({ model: 'tiny' }))
    expect(whole.choices[0].message.content).toBe(text)
    expect(whole.usage.prompt_tokens).toBe(prompt_tokens)
    const streamed = await (await chat({ stream: true, n: 2 })).text()
    expect(textOf(streamed, 0)).toBe(text)
    expect(textOf(streamed, 1)).not.toBe(text)
  })

  test('sees pictures and ECGs', async () => {
    const picture = { type: 'image_url', image_url: { url: png } }
    const text = { type: 'text', text: 'What is this?' } as const
    const recording = { type: 'input_ecg', input_ecg: { fs: 100, units: 'mV', leads } }
    const seen = await documentOf(chat({ ...ask(picture, recording, text), logprobs: true }))
    const signalMv = Object.values(leads).map(lead => Float32Array.from(lead))
    const expected = await promptTokens([
      { type: 'image', image: { width: 1, height: 1, data: new Uint8Array(3) } },
      { type: 'ecg', ecg: { leads: Object.keys(leads), samplingRateHz: 100, signalMv } },
      text,
    ])
    expect(seen.usage.prompt_tokens).toBe(expected)
    expect(seen.choices[0].logprobs.content).toHaveLength(seen.usage.completion_tokens)
  })

  test.for([
    {
      name: 'an ECG that lacks leads',
      body: ask({ type: 'input_ecg', input_ecg: { fs: 100, units: 'mV', leads: { I: [1] } } }),
      code: 'ENCODERS_ECG_LEAD_MISSING',
    },
    {
      name: 'a question beyond the context',
      body: { ...ask({ type: 'text', text: 'x'.repeat(200_000) }), stream: true },
      code: 'MODEL_CONTEXT_TOO_LONG',
    },
  ])('refuses $name', async ({ body, code }) => {
    expect(await documentOf(chat(body))).toMatchObject({ status: 400, error: { code } })
  })

  test('stops cleanly, and has logged nothing that was asked', async () => {
    server.stop()
    expect(await server.exitCode).toBe(0)
    expect(server.stderr()).toContain('"route":"/v1/chat/completions","status":200')
    expect(server.stderr()).not.toMatch(/MRI|xxx/)
    await expect(chat({})).rejects.toThrow(/fetch failed/)
  })
})

describe('qoq serve', () => {
  test('refuses a port that is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await expect.poll(() => other.address()).not.toBe(null)
    const address = other.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const result = await runInProcess(['serve', '--model', 'tiny', '--port', `${port}`, '--threads', '1', '--json'], {
      cwd,
    })
    other.close()
    expect(errorOf(result)).toMatchObject({ code: 'SERVER_ADDRESS_UNAVAILABLE' })
    expect(result.exitCode).toBe(1)
  })

  test('serves the model that ships where none is named, and says so', async () => {
    const server = serve('serve', '--port', '0', '--threads', '1', '--json')
    const { address, model } = JSON.parse(await server.line)
    expect(model).toBe('qoq-nano')
    const body = { messages, max_tokens: 4, temperature: 0 }
    const { choices } = await documentOf(post(`${address}/v1/chat/completions`, body))
    expect(choices).toHaveLength(1)
    server.stop()
    expect(await server.exitCode).toBe(0)
    expect(server.stderr()).toContain('No --model: qoq-nano answers')
  })

  test('serves rewards alone, without a model', async () => {
    const server = serve('serve', '--rewards-only', '--port', '0', '--json')
    const { address, model } = JSON.parse(await server.line)
    expect(model).toBe(null)
    const rewards = await documentOf(
      post(`${address}/v1/rewards`, { rows: [{ id: 1, response: '\\boxed{A}', answer: ['A'] }] }),
    )
    expect(rewards.rows).toHaveLength(1)
    expect(await documentOf(post(`${address}/v1/chat/completions`, { messages }))).toMatchObject({ status: 404 })
    server.stop()
    expect(await server.exitCode).toBe(0)
  })

  test('serves a model behind another server, with keys that are made and revoked meanwhile', async () => {
    const upstream = serve('serve', '--model', 'tiny', '--port', '0', '--threads', '1', '--json')
    const { address: url } = JSON.parse(await upstream.line)
    const add = async (...scopes: string[]) => {
      const argv = [
        'keys',
        'add',
        '--name',
        'x',
        '--keys',
        'keys.json',
        ...scopes.flatMap(one => ['--scope', one]),
        '--json',
      ]
      return JSON.parse((await runInProcess(argv, { cwd })).stdout)
    }
    const first = await add('chat')
    const argv = ['--upstream', `${url}/v1`, '--served-model', 'tiny', '--keys', 'keys.json', '--ecg-as', 'signal']
    const server = serve('serve', ...argv, '--port', '0', '--json')
    const { address } = JSON.parse(await server.line)
    const askWith = (
      key: string,
      route = 'chat/completions',
      body: object = { messages, max_tokens: 4, seed: 1, temperature: 0 },
    ) => documentOf(post(`${address}/v1/${route}`, body, { authorization: `Bearer ${key}` }))
    const direct = await documentOf(
      post(`${url}/v1/chat/completions`, { messages, max_tokens: 4, seed: 1, temperature: 0 }),
    )
    const through = await askWith(first.key)
    expect(through.choices[0].message.content).toBe(direct.choices[0].message.content)
    const diagnosis = { text: 'A cough.', labels: ['Pneumonia', 'Normal'], max_tokens: 8 }
    expect(await askWith(first.key, 'diagnose', diagnosis)).toMatchObject({
      status: 403,
      error: { code: 'SERVER_KEY_SCOPE' },
    })
    const second = await add('diagnose')
    expect(await askWith(second.key, 'diagnose', diagnosis)).toMatchObject({
      status: 200,
      object: 'diagnosis',
      model: 'tiny',
    })
    expect(
      JSON.parse((await runInProcess(['keys', 'list', '--keys', 'keys.json', '--json'], { cwd })).stdout).keys,
    ).toMatchObject([
      { id: first.id, scopes: ['chat'] },
      { id: second.id, scopes: ['diagnose'] },
    ])
    await runInProcess(['keys', 'revoke', first.id, '--keys', 'keys.json'], { cwd })
    expect(await askWith(first.key)).toMatchObject({ status: 401, error: { code: 'SERVER_KEY_UNKNOWN' } })
    for (const one of [server, upstream]) {
      one.stop()
      expect(await one.exitCode).toBe(0)
    }
    expect(server.stderr()).not.toContain(first.key)
  })

  test.for([
    { argv: ['serve', '--rewards-only', '--model', 'tiny'], code: 'CLI_ARGUMENT_EXTRA' },
    { argv: ['serve', '--upstream', 'http://127.0.0.1:1/v1'], code: 'CLI_ARGUMENT_MISSING' },
    { argv: ['serve', '--rewards-only', '--otlp', 'localhost:4318'], code: 'CLI_VALUE_INVALID' },
    { argv: ['serve', '--rewards-only', '--host', '0.0.0.0', '--port', '0'], code: 'SERVER_KEY_REQUIRED' },
    { argv: ['keys', 'add', '--name', 'x', '--scope', 'chats', '--keys', 'k.json'], code: 'CLI_VALUE_INVALID' },
    { argv: ['keys', 'revoke', '00000000', '--keys', 'k.json'], code: 'SERVER_KEY_ID_UNKNOWN' },
  ])('refuses $argv', async ({ argv, code }) => {
    expect(errorOf(await runInProcess([...argv, '--json'], { cwd }))).toMatchObject({ code })
  })
})

async function post(url: string, body: object, headers: Record<string, string> = {}): Promise<Response> {
  const type = { 'content-type': 'application/json' }
  return fetch(url, { method: 'POST', headers: { ...type, ...headers }, body: JSON.stringify(body) })
}

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runCommandLine } from '../src/run-command-line.ts'
import { writeTinyModel } from '../src/tiny-model.testing.ts'

// A model with random weights, served by the command line, asked over sockets.
const streams = 32
const stop = new AbortController()
let cwd = ''
let address = ''
let ended: Promise<number>

beforeAll(async () => {
  cwd = await mkdtemp(path.join(tmpdir(), 'qoq-streams-'))
  await writeTinyModel(path.join(cwd, 'tiny'))
  const line = Promise.withResolvers<string>()
  ended = runCommandLine(['serve', '--model', 'tiny', '--port', '0', '--threads', '1', '--workers', '0', '--json'], {
    stdin: (async function* () {})(),
    stdout: { write: line.resolve },
    stderr: { write: () => {} },
    env: { XDG_CONFIG_HOME: cwd },
    cwd,
    signal: stop.signal,
  })
  address = JSON.parse(await line.promise).address
})
afterAll(async () => {
  stop.abort()
  await ended
  await rm(cwd, { recursive: true, force: true })
})

const words = ['Which', 'label', 'fits', 'this', 'MRI?', 'glioma', 'meningioma']

/** A request of its own for every number: prompt, length, temperature and seed differ. */
function post(i: number, { maxTokens = 4 + (i % 7), signal }: { maxTokens?: number; signal?: AbortSignal } = {}) {
  const content = Array.from({ length: 1 + (i % 5) }, (_, at) => words[(i + at) % words.length]).join(' ')
  return fetch(`${address}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      messages: [{ role: 'user', content }],
      max_tokens: maxTokens,
      temperature: 0.5 + (i % 3) / 2,
      seed: i,
      stream: true,
      logprobs: true,
    }),
    ...(signal && { signal }),
  })
}

/** What a stream says: all its choices, so that tokens, log-probabilities and ends are compared. */
async function choicesOf(response: Response): Promise<unknown[]> {
  const text = await response.text()
  expect(text.slice(-14)).toBe('data: [DONE]\n\n')
  const events = text.split('\n\n').filter(event => event.startsWith('data: {'))
  return events.flatMap(event => JSON.parse(event.slice('data: '.length)).choices)
}

const running = async (): Promise<number> =>
  JSON.parse(await (await fetch(`${address}/health/ready`)).text()).runningAnswers

describe('streams of a real model', () => {
  test(`${streams} at a time are what each is alone, to the last bit of its log-probabilities`, async () => {
    const numbers = Array.from({ length: streams }, (_, i) => i)
    const together = await Promise.all(numbers.map(async i => choicesOf(await post(i))))
    const alone: unknown[] = []
    for (const i of numbers) alone.push(await choicesOf(await post(i)))
    expect(together).toEqual(alone)
    // Seeds and prompts matter: else all of this would be equal anyway.
    expect(new Set(together.map(choices => JSON.stringify(choices))).size).toBeGreaterThan(streams / 2)
  })

  test('clients that go away in the middle leave no answer behind, and those that stay get theirs', async () => {
    const stays = post(3)
    const leaving = Array.from({ length: 8 }, async (_, i) => {
      const client = new AbortController()
      const response = await post(i, { maxTokens: 400, signal: client.signal })
      await response.body?.getReader().read()
      client.abort()
    })
    await Promise.all(leaving)
    const choices = await choicesOf(await stays)
    await expect.poll(running).toBe(0)
    expect(choices).toEqual(await choicesOf(await post(3)))
  })
})

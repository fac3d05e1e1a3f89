import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createServer } from '../src/create-server.ts'
import { fakePolicy } from '../src/fake-policy.testing.ts'
import { listen } from '../src/listen.ts'

/** An interpreter that has OpenAI's package. */
const python = process.env['QOQ_OPENAI_PYTHON']
const reason = python ? '' : ' (skipped: QOQ_OPENAI_PYTHON names no interpreter that has openai)'
/** An answer that is the JSON of a finding, too. */
const words = ['{"label": "A", ', '"boxes": [', '{"x": 1, "y": 2}]}']

/** What `openai_client.py` prints. */
interface Results {
  readonly chat: object
  readonly stream: object
  readonly stream_at_once: readonly string[]
  readonly pictures: string
  readonly schema: object
  readonly models: object
  readonly errors: object
  readonly given_up: string
}

describe.skipIf(!python)(`the Python client of OpenAI, over a socket${reason}`, () => {
  const policy = fakePolicy({ words })
  const app = createServer({ policy })
  let folder: string
  let results: Results

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'qoq-openai-'))
    const picture = path.join(folder, 'picture.png')
    await sharp({ create: { width: 40, height: 30, channels: 3, background: '#777' } }).toFile(picture)
    const address = await listen(app, { port: 0 })
    const script = path.join(import.meta.dirname, 'openai_client.py')
    const { stdout } = await promisify(execFile)(python!, [script, `${address}/v1`, 'fake', picture])
    results = JSON.parse(stdout)
  }, 60_000)
  afterAll(async () => {
    await app.close()
    await rm(folder, { recursive: true, force: true })
  })

  test('chats, with more than one answer and log-probabilities', () => {
    const text = words.join('')
    expect(results.chat).toEqual({ texts: [text, text], tokens: words, top: [1, 1, 1], usage: [1, 6] })
  })

  test('streams, with usage at the end', () => {
    expect(results.stream).toEqual({ deltas: words, text: words.join(''), total: 4 })
    expect(results.stream_at_once).toEqual(Array(8).fill(words.join('')))
  })

  test('sends pictures', () => {
    expect(results.pictures).toBe(words.join(''))
    const contents = policy.requests.flatMap(({ prompt }) => ('tokenIds' in prompt ? [] : [prompt[0]?.content]))
    expect(contents).toContainEqual([
      { type: 'image', image: expect.objectContaining({ width: 40, height: 30 }) },
      { type: 'text', text: 'Which?' },
    ])
  })

  test('asks for a schema', () => {
    expect(results.schema).toEqual({ label: 'A', boxes: [{ x: 1, y: 2 }] })
    expect(policy.requests.filter(({ grammar }) => grammar?.type === 'sequence')).toHaveLength(1)
  })

  test('lists models, and gets its own errors', () => {
    expect(results.models).toEqual([['fake'], 'fake'])
    expect(results.errors).toEqual([
      ['NotFoundError', 404, 'SERVER_MODEL_UNKNOWN'],
      ['BadRequestError', 400, 'SERVER_REQUEST_INVALID'],
      ['BadRequestError', 400, 'SERVER_REQUEST_INVALID'],
    ])
  })

  test('a stream that is given up ends its answer', async () => {
    expect(results.given_up).toBe('chat.completion.chunk')
    await expect.poll(async () => (await app.inject('/health/ready')).json().runningAnswers).toBe(0)
  })
})

import { connect } from 'node:net'
import type { Policy } from '@qoq-med/model'
import { describe, expect, test } from 'vitest'
import { createServer } from './create-server.ts'
import { fakePolicy } from './fake-policy.testing.ts'
import { listen } from './listen.ts'
import type { LogEntry } from './request-log.ts'

const question = { messages: [{ role: 'user', content: 'Is Mrs Smith well?' }] }
const chat = (payload: object | string = question) =>
  ({ method: 'POST', url: '/v1/chat/completions', payload, headers: { 'content-type': 'application/json' } }) as const

describe('health and models', () => {
  test('live and ready', async () => {
    const app = createServer({ policy: fakePolicy(), limits: { runningAnswers: 3 } })
    expect((await app.inject('/health/live')).json()).toEqual({ status: 'live' })
    const ready = { status: 'ready', model: 'fake', runningAnswers: 0, maxRunningAnswers: 3 }
    expect((await app.inject('/health/ready')).json()).toEqual(ready)
  })

  test('lists the model with the notice', async () => {
    const { data } = (await createServer({ policy: fakePolicy() }).inject('/v1/models')).json()
    const metadata = {
      notice: 'Research use only, not a medical device',
      modalities: ['text', 'image', 'ecg'],
      max_positions: 128,
    }
    expect(data).toEqual([{ id: 'fake', object: 'model', created: expect.any(Number), owned_by: 'qoq-med', metadata }])
  })
})

describe('errors', () => {
  const form = (body: string, type: string) => ({ ...chat(body), headers: { 'content-type': type } })
  test.for([
    { name: 'an unknown route', request: { url: '/v1/nothing' } as const, status: 404, code: 'SERVER_ROUTE_UNKNOWN' },
    { name: 'a cut body', request: chat('{"messages": ['), status: 400, code: 'SERVER_BODY_NOT_JSON' },
    { name: 'an empty body', request: chat(''), status: 400, code: 'SERVER_BODY_NOT_JSON' },
    { name: 'a poisoned body', request: chat('{"__proto__": {}}'), status: 400, code: 'SERVER_BODY_NOT_JSON' },
    { name: 'a list', request: chat('[]'), status: 400, code: 'SERVER_REQUEST_INVALID' },
    { name: 'plain text', request: form('{}', 'text/plain'), status: 415, code: 'SERVER_MEDIA_TYPE' },
    {
      name: 'a form',
      request: form('a=b', 'application/x-www-form-urlencoded'),
      status: 415,
      code: 'SERVER_MEDIA_TYPE',
    },
  ])('answers $name with an error object', async ({ request, status, code }) => {
    const response = await createServer({ policy: fakePolicy() }).inject(request)
    expect(response.statusCode).toBe(status)
    expect(response.headers).toMatchObject({ 'x-qoq-notice': 'Research use only, not a medical device' })
    expect(response.json()).toEqual({
      error: { message: expect.any(String), type: 'invalid_request_error', code, hint: expect.any(String) },
    })
  })

  test('keeps the message of an unforeseen error inside', async () => {
    const policy = fakePolicy({ failure: new Error('Mrs Smith') })
    const response = await createServer({ policy }).inject(chat())
    expect(response.statusCode).toBe(500)
    expect(response.body).not.toContain('Smith')
    expect(response.json().error).toMatchObject({ code: 'SERVER_UNEXPECTED', type: 'server_error' })
    expect(response.json().error.message).toContain(String(response.headers['x-request-id']))
  })
})

describe('the log', () => {
  test('has one entry per request, and nothing of what a client wrote', async () => {
    const entries: LogEntry[] = []
    const policy = fakePolicy({ failure: new Error('Mrs Smith') })
    const app = createServer({ policy, log: entry => void entries.push(entry) })
    await app.inject(chat())
    await app.inject(chat({ ...question, smith: 1 }))
    await app.inject('/v1/patients/smith?name=smith')
    await app.inject('/health/live')
    await app.inject(chat({ ...question, stream: true }))
    await app.close()
    expect(entries).toMatchObject([
      { method: 'POST', route: '/v1/chat/completions', status: 500, code: 'SERVER_UNEXPECTED' },
      { method: 'POST', route: '/v1/chat/completions', status: 400, code: 'SERVER_REQUEST_INVALID' },
      { method: 'GET', status: 404, code: 'SERVER_ROUTE_UNKNOWN' },
      { method: 'GET', route: '/health/live', status: 200 },
      { method: 'POST', route: '/v1/chat/completions', status: 200, code: 'SERVER_UNEXPECTED' },
    ])
    for (const index of [0, 4]) expect(entries[index]?.stack?.[0]).toMatch(/^at .*\.ts:\d+/)
    expect(JSON.stringify(entries)).not.toMatch(/smith/i)
    expect(new Set(entries.map(entry => entry.requestId)).size).toBe(5)
  })
})

describe('room for answers', () => {
  test('refuses what is beyond it with 429 and Retry-After, and gives room back', async () => {
    const gate = Promise.withResolvers<void>()
    const policy = fakePolicy({ gate: gate.promise })
    const app = createServer({ policy, limits: { runningAnswers: 2 } })
    const running = app.inject(chat({ ...question, n: 2 }))
    await expect.poll(() => policy.requests.length).toBe(1)
    const refused = await app.inject(chat())
    expect(refused.statusCode).toBe(429)
    expect(refused.headers['retry-after']).toBe('1')
    expect(refused.json().error).toMatchObject({ code: 'SERVER_BUSY', type: 'rate_limit_error' })
    gate.resolve()
    expect((await running).statusCode).toBe(200)
    expect((await app.inject('/health/ready')).json().runningAnswers).toBe(0)
    expect((await app.inject(chat())).statusCode).toBe(200)
  })
})

const init = (stream: boolean, signal: AbortSignal) => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ ...question, stream }),
  signal,
})

/** Scores, and never ends an answer. */
function scoringPolicy(): Policy {
  const never = new Promise<never>(() => {})
  return { ...fakePolicy({ gate: never }), logprobs: () => never }
}

describe('a listening server', () => {
  const never = new Promise<void>(() => {})
  test.for([{ stream: false }, { stream: true }])(
    'ends the answer of a client that goes away ($stream)',
    async ({ stream }) => {
      const policy = fakePolicy({ gate: never })
      const entries: LogEntry[] = []
      const app = createServer({ policy, log: entry => void entries.push(entry) })
      const address = await listen(app, { port: 0 })
      const client = new AbortController()
      const request = fetch(`${address}/v1/chat/completions`, init(stream, client.signal)).then(response =>
        response.text(),
      )
      request.catch(() => {})
      await expect.poll(() => policy.requests.length).toBe(1)
      client.abort()
      await expect(request).rejects.toThrow(/abort/)
      await expect.poll(() => policy.aborted()).toBe(1)
      expect(await (await fetch(`${address}/health/ready`)).json()).toMatchObject({ runningAnswers: 0 })
      await expect.poll(() => entries[0]).toMatchObject({ status: 499, code: 'SERVER_CLIENT_GONE' })
      await app.close()
    },
  )

  test.for([
    { url: '/v1/chat/completions', body: question },
    { url: '/v1/diagnose', body: { text: 'x', labels: ['A', 'B'] } },
    { url: '/v1/score', body: { ...question, completions: ['x'] } },
  ])('gives back the room of a client that went before its answer began ($url)', async ({ url, body }) => {
    const app = createServer({ policy: scoringPolicy() })
    const [reached, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    // The body is here, the connection ends, and only then the route begins.
    app.addHook('preHandler', async (request, reply) => {
      if (request.method !== 'POST') return
      reply.raw.once('close', gate.resolve)
      reached.resolve()
      await gate.promise
    })
    const address = await listen(app, { port: 0 })
    const client = new AbortController()
    const headers = { 'content-type': 'application/json' }
    const sent = fetch(address + url, { method: 'POST', headers, body: JSON.stringify(body), signal: client.signal })
    sent.catch(() => {})
    await reached.promise
    client.abort()
    await gate.promise
    await expect.poll(async () => (await app.inject('/health/ready')).json().runningAnswers).toBe(0)
    await app.close()
  })

  test('lets answers finish when it is closed', async () => {
    const gate = Promise.withResolvers<void>()
    const policy = fakePolicy({ gate: gate.promise })
    const app = createServer({ policy })
    const address = await listen(app, { port: 0 })
    const request = fetch(`${address}/v1/chat/completions`, init(true, AbortSignal.timeout(5000)))
    await expect.poll(() => policy.requests.length).toBe(1)
    const closed = app.close()
    gate.resolve()
    expect(await (await request).text()).toMatch(/data: \[DONE\]\n\n$/)
    await closed
  })

  test('ends answers that outlast the grace', async () => {
    const policy = fakePolicy({ gate: never })
    const app = createServer({ policy, closeGraceMs: 20 })
    const address = await listen(app, { port: 0 })
    const request = fetch(`${address}/v1/chat/completions`, init(true, AbortSignal.timeout(5000)))
    const body = (await request).text()
    await app.close()
    expect(await body).toContain('SERVER_CLOSING')
  })

  // Without an end of its own, Node.js waits a minute and more for each of them.
  test.for([
    { name: 'says nothing', said: '' },
    { name: 'stops in a header', said: 'POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\n' },
    {
      name: 'stops in a body',
      said: 'POST /v1/rewards HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{',
    },
  ])('is not held open by a connection that $name', { timeout: 30_000 }, async ({ said }) => {
    const app = createServer({ policy: fakePolicy(), closeGraceMs: 20 })
    const seen = new Promise(resolve => app.server.once('connection', resolve))
    const socket = connect(Number(new URL(await listen(app, { port: 0 })).port), '127.0.0.1')
    socket.on('error', () => {})
    const ended = new Promise(resolve => socket.once('close', resolve))
    socket.write(said)
    await seen
    await expect(app.close()).resolves.toBe(undefined)
    await ended
  })

  test('says that its port is taken', async () => {
    const app = createServer({ policy: fakePolicy() })
    const port = Number(new URL(await listen(app, { port: 0 })).port)
    const second = listen(createServer({ policy: fakePolicy() }), { port })
    await expect(second).rejects.toMatchObject({
      code: 'SERVER_ADDRESS_UNAVAILABLE',
      message: expect.stringContaining(`${port}`),
    })
    await app.close()
  })
})

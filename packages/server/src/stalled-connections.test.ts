import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createServer } from './create-server.ts'
import { fakePolicy } from './fake-policy.testing.ts'
import { listen } from './listen.ts'
import type { LogEntry } from './request-log.ts'

/** More than the buffers of a connection hold, which take what is not read. */
const long = Array.from({ length: 400 }, () => 'x'.repeat(2 ** 16))
const stalledAfterMs = 1000
const question = { messages: [{ role: 'user', content: 'Is it normal?' }] }
const host = 'host: localhost\r\n'
const json = 'content-type: application/json\r\n'

const entries: LogEntry[] = []
const gate = Promise.withResolvers<void>()
const stuck = createServer({
  policy: fakePolicy({ words: long }),
  stalledAfterMs,
  log: entry => void entries.push(entry),
})
const slow = createServer({ policy: fakePolicy({ gate: gate.promise }), stalledAfterMs })
let [address, slowAddress] = ['', '']
beforeAll(async () => {
  address = await listen(stuck, { port: 0 })
  slowAddress = await listen(slow, { port: 0 })
})
afterAll(async () => Promise.all([stuck.close(), slow.close()]))

/** Sends something and nothing more. */
function said(text: string): Socket {
  const socket = connect(Number(new URL(address).port), '127.0.0.1')
  socket.on('error', () => {})
  socket.write(text)
  return socket
}

/** Everything that comes until the server ends the connection. */
async function untilClosed(socket: Socket): Promise<string> {
  let text = ''
  socket.on('data', (bytes: Buffer) => (text += bytes.toString()))
  await new Promise(resolve => socket.once('close', resolve))
  return text
}

async function runningAnswers(): Promise<unknown> {
  return JSON.parse(await (await fetch(`${address}/health/ready`)).text()).runningAnswers
}

describe('connections that stall', () => {
  test.for([
    { name: 'in a header', text: `POST /v1/rewards HTTP/1.1\r\n${host}`, code: 'SERVER_REQUEST_TIMEOUT', status: 408 },
    {
      name: 'in a body',
      text: `POST /v1/rewards HTTP/1.1\r\n${host}${json}content-length: 99\r\n\r\n{`,
      code: 'SERVER_REQUEST_TIMEOUT',
      status: 408,
    },
    { name: 'in no request of HTTP', text: 'nonsense\r\n\r\n', code: 'SERVER_HTTP_INVALID', status: 400 },
  ])('$name are told so and closed, and others are answered meanwhile', async ({ text, code, status }) => {
    const closed = untilClosed(said(text))
    const healthy = await fetch(`${address}/health/live`)
    expect(healthy.status).toBe(200)
    const heard = await closed
    expect(heard).toContain(`HTTP/1.1 ${status} `)
    expect(JSON.parse(heard.slice(heard.lastIndexOf('\r\n\r\n')))).toMatchObject({ error: { code } })
  })

  test('nonsense after a request is not answered into the stream of its answer', async () => {
    const body = JSON.stringify({ ...question, stream: true })
    const socket = said(
      `POST /v1/chat/completions HTTP/1.1\r\n${host}${json}content-length: ${body.length}\r\n\r\n${body}`,
    )
    let text = ''
    socket.on('data', (bytes: Buffer) => {
      if (text === '') socket.write('nonsense\r\n\r\n')
      text += bytes.toString()
    })
    await new Promise(resolve => socket.once('close', resolve))
    expect(text).toContain('HTTP/1.1 200 ')
    expect(text).not.toContain('HTTP/1.1 400 ')
  })

  test('a body that stalls is in the log', async () => {
    entries.length = 0
    await untilClosed(said(`POST /v1/rewards HTTP/1.1\r\n${host}${json}content-length: 99\r\n\r\n{`))
    await expect.poll(() => entries).toMatchObject([{ status: 408, code: 'SERVER_REQUEST_TIMEOUT' }])
  })

  test('a stream that nobody reads gives its room back', async () => {
    entries.length = 0
    const body = JSON.stringify({ ...question, stream: true })
    const socket = said(
      `POST /v1/chat/completions HTTP/1.1\r\n${host}${json}content-length: ${body.length}\r\n\r\n${body}`,
    )
    socket.pause()
    await expect
      .poll(() => entries.find(({ route }) => route === '/v1/chat/completions'), { timeout: 30_000 })
      .toMatchObject({ status: 499, code: 'SERVER_CLIENT_STALLED' })
    await expect.poll(runningAnswers, { timeout: 10_000 }).toBe(0)
    socket.destroy()
  })

  test('an answer that the server takes long for is not ended', async () => {
    const headers = { 'content-type': 'application/json' }
    const url = `${slowAddress}/v1/chat/completions`
    const sent = fetch(url, { method: 'POST', headers, body: JSON.stringify({ ...question, stream: true }) })
    const text = sent.then(response => response.text())
    await sleep(2 * stalledAfterMs)
    gate.resolve()
    expect(await text).toMatch(/data: \[DONE\]\n\n$/)
  })
})

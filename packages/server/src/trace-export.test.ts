import { createServer as createHttpServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { createServer } from './create-server.ts'
import { fakePolicy } from './fake-policy.testing.ts'
import { createTraceExport } from './trace-export.ts'

const open: Server[] = []
afterEach(() => {
  for (const server of open.splice(0)) server.close()
})

/** A collector that keeps what it is sent. */
async function collector(status = 200) {
  const bodies: { path: string | undefined; body: string }[] = []
  const server = createHttpServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    bodies.push({ path: request.url, body: Buffer.concat(chunks).toString() })
    response.writeHead(status).end('{}')
  })
  open.push(server)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo // it listens on a port
  return { url: `http://127.0.0.1:${port}`, bodies }
}

const entry = {
  requestId: 'r-1',
  method: 'POST',
  route: '/v1/diagnose',
  status: 500,
  durationMs: 25,
  code: 'SERVER_UNEXPECTED',
}

const text = (key: string, stringValue: string) => ({ key, value: { stringValue } })

describe('spans for a collector of OpenTelemetry', () => {
  test('are OTLP over HTTP as JSON, worked by hand', async () => {
    const { url, bodies } = await collector()
    const traces = createTraceExport({ url: `${url}/`, now: () => 1_700_000_000_123 })
    traces.note(entry)
    await traces.close()
    expect(bodies.map(({ path }) => path)).toEqual(['/v1/traces'])
    expect(JSON.parse(bodies[0]!.body)).toEqual({
      resourceSpans: [
        {
          resource: { attributes: [text('service.name', 'qoq-med')] },
          scopeSpans: [
            {
              scope: { name: '@qoq-med/server' },
              spans: [
                {
                  traceId: expect.stringMatching(/^[\da-f]{32}$/),
                  spanId: expect.stringMatching(/^[\da-f]{16}$/),
                  name: 'POST /v1/diagnose',
                  kind: 2, // SPAN_KIND_SERVER
                  startTimeUnixNano: '1700000000098000000',
                  endTimeUnixNano: '1700000000123000000',
                  attributes: [
                    text('qoq.request_id', 'r-1'),
                    text('http.request.method', 'POST'),
                    text('http.route', '/v1/diagnose'),
                    { key: 'http.response.status_code', value: { intValue: '500' } },
                    text('error.type', 'SERVER_UNEXPECTED'),
                  ],
                  status: { code: 2 }, // STATUS_CODE_ERROR
                },
              ],
            },
          ],
        },
      ],
    })
  })

  test('a collector that refuses, or is not there, is counted and waited for no longer', async () => {
    const refusing = createTraceExport({ url: (await collector(503)).url })
    refusing.note(entry)
    await refusing.close()
    expect(refusing.dropped).toBe(1)
    const { url } = await collector()
    open.pop()?.close()
    const absent = createTraceExport({ url })
    for (let i = 0; i < 3000; i++) absent.note(entry)
    expect(absent.dropped).toBe(3000 - 2048)
    await absent.close()
    expect(absent.dropped).toBe(3000)
  })

  test('a server sends one for every request, the last at its end', async () => {
    const { url, bodies } = await collector()
    const app = createServer({ policy: fakePolicy(), otlp: url })
    await app.inject('/health/live')
    await app.inject('/v1/Muster?name=Muster')
    expect((await app.inject('/metrics')).body).toContain('qoq_spans_dropped 0\n')
    await app.close()
    const spans = bodies.flatMap(({ body }) => JSON.parse(body).resourceSpans[0].scopeSpans[0].spans)
    expect(spans.map(({ name }) => name)).toEqual(['GET /health/live', 'GET', 'GET /metrics'])
    expect(JSON.stringify(bodies)).not.toContain('Muster')
  })
})

import { randomBytes } from 'node:crypto'
import type { LogEntry } from './request-log.ts'

/** Sends a span for every request to a collector of OpenTelemetry. */
export interface TraceExport {
  /** Notes a request that is over. */
  note(entry: LogEntry): void
  /** Spans that no collector took: it did not answer, or too many waited. */
  readonly dropped: number
  /** Sends what waits. */
  close(): Promise<void>
}

/** Where spans go. */
export interface TraceExportOptions {
  /** Address of a collector that takes OTLP over HTTP, such as http://localhost:4318; spans go to /v1/traces below it. */
  readonly url: string
  /** Milliseconds between two exports. Default 5,000. */
  readonly everyMs?: number
  /** Milliseconds since 1970. */
  readonly now?: () => number
}

const maxWaiting = 2048
const exportTimeoutMs = 5000
const serverKind = 2
const errorStatus = 2

/**
 * Makes an exporter (OTLP/HTTP, JSON). A span has the request's id, method, pattern of the route, status, code of its error and its times: what
 * the log has, and so nothing that a client wrote. A collector that does not answer delays nothing.
 */
export function createTraceExport({ url, everyMs = 5000, now = Date.now }: TraceExportOptions): TraceExport {
  const address = `${url.replace(/\/+$/, '')}/v1/traces`
  let waiting: object[] = []
  let dropped = 0
  let sending: Promise<void> = Promise.resolve()
  const send = (): Promise<void> => {
    const spans = waiting
    waiting = []
    if (spans.length === 0) return sending
    const earlier = sending
    sending = (async () => {
      await earlier
      if (!(await isTaken(address, spans))) dropped += spans.length
    })()
    return sending
  }
  const timer = setInterval(() => void send(), everyMs).unref()
  return {
    note: entry => {
      if (waiting.length < maxWaiting) waiting.push(spanOf(entry, now()))
      else dropped++
    },
    get dropped() {
      return dropped
    },
    close: async () => {
      clearInterval(timer)
      await send()
    },
  }
}

async function isTaken(address: string, spans: readonly object[]): Promise<boolean> {
  const resource = { attributes: attributes({ 'service.name': 'qoq-med' }) }
  const body = JSON.stringify({
    resourceSpans: [{ resource, scopeSpans: [{ scope: { name: '@qoq-med/server' }, spans }] }],
  })
  try {
    const response = await fetch(address, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
      redirect: 'error',
      signal: AbortSignal.timeout(exportTimeoutMs),
    })
    await response.body?.cancel()
    return response.ok
  } catch {
    return false
  }
}

/** Ids are written in hexadecimal digits, 64-bit numbers as text (OTLP 1.0, JSON encoding). */
function spanOf({ requestId, method, route, status, durationMs, code }: LogEntry, endMs: number): object {
  return {
    traceId: randomBytes(16).toString('hex'),
    spanId: randomBytes(8).toString('hex'),
    name: route === undefined ? method : `${method} ${route}`,
    kind: serverKind,
    startTimeUnixNano: nanoseconds(endMs - durationMs),
    endTimeUnixNano: nanoseconds(endMs),
    attributes: attributes({
      'qoq.request_id': requestId,
      'http.request.method': method,
      'http.route': route,
      'http.response.status_code': status,
      'error.type': code,
    }),
    status: status >= 500 ? { code: errorStatus } : {},
  }
}

function nanoseconds(ms: number): string {
  return String(BigInt(Math.round(ms)) * 1_000_000n)
}

function attributes(values: Readonly<Record<string, string | number | undefined>>): object[] {
  return Object.entries(values).flatMap(([key, value]) => {
    if (value === undefined) return []
    return [{ key, value: typeof value === 'number' ? { intValue: String(value) } : { stringValue: value } }]
  })
}

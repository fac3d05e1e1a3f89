import { isHintedError } from '@qoq-med/errors'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { hintedError } from './error-response.ts'

/** What the log keeps of a request: nothing that a client wrote. */
export interface LogEntry {
  readonly requestId: string
  readonly method: string
  /** The route's pattern, not the address that was asked for; absent where there is none. */
  readonly route?: string
  /** 499 where the client went away before the response was whole. */
  readonly status: number
  readonly durationMs: number
  /** Code of the error that the request ended with. */
  readonly code?: string
  /** Where an error without a code arose; its message may quote a body and is left out. */
  readonly stack?: readonly string[]
}

/** Keeps the error of a request for its log entry. */
export type NoteFailure = (request: FastifyRequest, thrown: unknown) => void

/**
 * Calls `log` with every request when its response is over.
 *
 * @returns what notes an error that no error handler sees, such as one in the middle of a stream
 */
export function logRequests(app: FastifyInstance, log: (entry: LogEntry) => void): NoteFailure {
  const failures = new WeakMap<FastifyRequest, Pick<LogEntry, 'code' | 'stack'>>()
  const note: NoteFailure = (request, thrown) => void failures.set(request, failureOf(thrown))
  app.addHook('onError', async (request, _reply, error) => note(request, error))
  app.addHook('onRequest', async (request, reply) => {
    // Not the hook onResponse: it never comes where a client goes away.
    reply.raw.once('close', () => {
      const route = request.routeOptions.url
      const isWhole = reply.raw.writableEnded
      const failure = failures.get(request)
      const stalled = stalledStatus.get(failure?.code ?? '')
      log({
        requestId: request.id,
        method: request.method,
        ...(route !== undefined && { route }),
        status: stalled ?? (isWhole ? reply.statusCode : clientGoneStatus),
        durationMs: Math.round(reply.elapsedTime),
        ...(isWhole || stalled !== undefined ? failure : { code: 'SERVER_CLIENT_GONE' }),
      })
    })
  })
  return note
}

/** Written to the log alone: nobody is there to read it. */
const clientGoneStatus = 499
/** Statuses of requests whose connection the server ended itself, by code. */
const stalledStatus: ReadonlyMap<string, number> = new Map([
  ['SERVER_REQUEST_TIMEOUT', 408],
  ['SERVER_CLIENT_STALLED', clientGoneStatus],
])
const stackLines = 4

function failureOf(thrown: unknown): Pick<LogEntry, 'code' | 'stack'> {
  const { code } = hintedError(thrown, { requestId: '', bodyBytes: 0 })
  if (isHintedError(thrown) || code !== 'SERVER_UNEXPECTED' || !(thrown instanceof Error)) return { code }
  const frames = (thrown.stack ?? '').split('\n').filter(line => /^\s+at /.test(line))
  return { code, stack: frames.slice(0, stackLines).map(line => line.trim()) }
}

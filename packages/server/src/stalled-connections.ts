import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { HintedError } from '@qoq-med/errors'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { errorBody, httpStatus } from './error-response.ts'
import { serverErrors } from './errors.ts'
import type { NoteFailure } from './request-log.ts'

/** The last answer of each connection that had a request. */
const answers = new WeakMap<Socket, FastifyReply>()

/**
 * Ends connections on which no byte moves in the middle of a request, or of an answer that its client does not read. Where the
 * server itself takes its time, nothing is ended: its client has nothing to do but wait.
 *
 * @param stalledAfterMs milliseconds without a byte
 */
export function endStalled(
  app: FastifyInstance,
  { stalledAfterMs, noteFailure }: { readonly stalledAfterMs: number; readonly noteFailure: NoteFailure },
): void {
  app.addHook('onRequest', async ({ raw }: FastifyRequest, reply: FastifyReply) => {
    answers.set(raw.socket, reply)
  })
  app.server.setTimeout(stalledAfterMs, (socket: Socket) => {
    const answer = answers.get(socket)
    if (answer === undefined) refuse(socket, serverErrors.REQUEST_TIMEOUT({}))
    else if (answer.raw.closed) socket.destroy() // Node.js has its own time for a next request, which ends in `refuseBroken`, too
    else if (!answer.request.raw.complete) {
      noteFailure(answer.request, serverErrors.REQUEST_TIMEOUT({}))
      refuse(socket, serverErrors.REQUEST_TIMEOUT({}))
    } else if (socket.writableLength > 0) {
      noteFailure(answer.request, serverErrors.CLIENT_STALLED({}))
      socket.destroy()
    }
  })
}

/** Answers what is no request of HTTP, or did not come whole in time. */
export function refuseBroken(error: Error & { readonly code?: string }, socket: Socket): void {
  const answer = answers.get(socket)?.raw
  const isAnswering = answer?.headersSent === true && !answer.writableEnded // nothing else may be written meanwhile
  if (error.code === 'ECONNRESET' || !socket.writable || isAnswering) socket.destroy()
  else if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') refuse(socket, serverErrors.REQUEST_TIMEOUT({}))
  else refuse(socket, serverErrors.HTTP_INVALID({}))
}

/** There is no response to write this to: the request is not whole. */
function refuse(socket: Socket, error: HintedError): void {
  const [status, body] = [httpStatus(error), JSON.stringify(errorBody(error))]
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy())
}

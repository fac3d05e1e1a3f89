import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'

/** Time for an answer that was ended to tell its client so. */
const lastWordsMs = 1000

/**
 * Makes `close` wait for running answers for a while, and for nothing else: connections without a request end at once, those between two
 * requests after their answer, all others when the grace is over.
 */
export function endOnClose(
  app: FastifyInstance,
  { abortAll, closeGraceMs }: { readonly abortAll: () => void; readonly closeGraceMs: number },
): void {
  const silent = new Set<Socket>()
  app.server.on('connection', (socket: Socket) => {
    silent.add(socket)
    socket.once('close', () => silent.delete(socket))
  })
  app.server.on('request', ({ socket }: { readonly socket: Socket }) => silent.delete(socket))
  let isClosing = false
  app.addHook('preClose', async () => {
    isClosing = true
    for (const socket of silent) socket.destroy()
    setTimeout(() => {
      abortAll()
      setTimeout(() => app.server.closeAllConnections(), lastWordsMs).unref()
    }, closeGraceMs).unref()
  })
  // A connection that was promised to stay open for more requests would hold the server open after its last answer.
  app.addHook('onResponse', async () => {
    if (isClosing) setImmediate(() => app.server.closeIdleConnections())
  })
}

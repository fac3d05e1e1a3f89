import type { FastifyInstance } from 'fastify'

const allowedHeaders = 'authorization, content-type, x-qoq-request'
const keptSeconds = '600'

/** Lets pages of named sites read answers; all others get no header, and a browser keeps the answer from them. */
export function allowOrigins(app: FastifyInstance, origins: readonly string[]): void {
  if (origins.length === 0) return
  app.addHook('onRequest', async (request, reply) => {
    const { origin } = request.headers
    if (origin === undefined || !origins.includes(origin)) return
    reply.headers({ 'access-control-allow-origin': origin, vary: 'origin' })
    const isPreflight = request.method === 'OPTIONS' && request.headers['access-control-request-method'] !== undefined
    if (!isPreflight) return
    reply.headers({
      'access-control-allow-methods': 'GET, POST',
      'access-control-allow-headers': allowedHeaders,
      'access-control-max-age': keptSeconds,
    })
    await reply.code(204).send()
  })
}

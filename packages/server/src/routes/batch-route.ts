import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { bodyBytes } from '../body-bytes.ts'
import type { ServerLimits } from '../limits.ts'
import type { BatchWork } from '../work/batch-body.ts'

/** A route whose body is parsed, checked and worked on elsewhere. */
interface BatchRoute {
  readonly url: string
  /** For the description of the route: who works on a body checks it. */
  readonly body: z.ZodType
  readonly limits: ServerLimits
  readonly work: (work: BatchWork) => Promise<Uint8Array>
}

/** Adds such a route to a plugin of its own: JSON stays bytes in it. */
export function addBatchRoute(app: FastifyInstance, { url, body, limits, work }: BatchRoute): void {
  app.removeContentTypeParser('application/json')
  app.addContentTypeParser('application/json', async ({ headers }: FastifyRequest, payload: FastifyRequest['raw']) =>
    bodyBytes(payload, { limit: limits.batchBytes, claimed: headers['content-length'] }),
  )
  app.post(
    url,
    {
      schema: { body: z.toJSONSchema(body, { target: 'draft-7', io: 'input' }) },
      validatorCompiler: () => () => true,
      bodyLimit: limits.batchBytes,
      config: { scope: 'rewards' },
    },
    async ({ body: sent }: FastifyRequest, reply: FastifyReply) => {
      const bytes = sent instanceof Uint8Array ? sent : new Uint8Array(0)
      const { buffer, byteOffset, byteLength } = await work({ bytes, limits })
      return reply.type('application/json').send(Buffer.from(buffer, byteOffset, byteLength))
    },
  )
}

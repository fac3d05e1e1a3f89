import type { FastifyPluginAsync } from 'fastify'
import { z } from 'zod'
import type { ServerLimits } from '../limits.ts'
import type { Works } from '../work/works.ts'

/** What `qoq advantages` takes, beside the fields of a batch (`rewardBatchFields`). */
const Body = z.looseObject({
  estimator: z.string(),
  options: z.record(z.string(), z.unknown()).optional(),
  stages: z.boolean().optional(),
})

/** POST /v1/advantages: rewards of a batch in, advantages out. */
export const advantagesRoute: FastifyPluginAsync<{ limits: ServerLimits; works: Works }> = async (
  app,
  { limits, works },
) => {
  app.post<{ Body: z.infer<typeof Body> }>(
    '/v1/advantages',
    { schema: { body: z.toJSONSchema(Body, { target: 'draft-7', io: 'input' }) }, config: { scope: 'rewards' } },
    async ({ body: { estimator, options = {}, stages: wantsStages = false, ...fields } }, reply) => {
      const work = { estimator, options, wantsStages, fields, maxTokens: limits.tokens }
      return reply.type('application/json').send(await works.advantages(work))
    },
  )
}

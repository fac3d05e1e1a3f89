import type { FastifyPluginAsync } from 'fastify'
import type { ServerLimits } from '../limits.ts'
import { AdvantagesBody } from '../work/advantage-batch.ts'
import type { Works } from '../work/works.ts'
import { addBatchRoute } from './batch-route.ts'

/** POST /v1/advantages: rewards of a batch in, advantages out. */
export const advantagesRoute: FastifyPluginAsync<{ limits: ServerLimits; works: Works }> = async (
  app,
  { limits, works },
) => {
  addBatchRoute(app, {
    url: '/v1/advantages',
    body: AdvantagesBody,
    limits,
    work: async work => works.advantages(work),
  })
}

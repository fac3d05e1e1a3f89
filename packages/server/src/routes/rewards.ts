import type { FastifyPluginAsync } from 'fastify'
import type { ServerLimits } from '../limits.ts'
import { RewardsBody } from '../work/reward-rows.ts'
import type { Works } from '../work/works.ts'
import { addBatchRoute } from './batch-route.ts'

/** POST /v1/rewards: scores of responses, row by row as `qoq rewards` answers them. */
export const rewardsRoute: FastifyPluginAsync<{ limits: ServerLimits; works: Works }> = async (
  app,
  { limits, works },
) => {
  addBatchRoute(app, { url: '/v1/rewards', body: RewardsBody, limits, work: async work => works.rewards(work) })
}

import type { FastifyPluginAsync } from 'fastify'
import { z } from 'zod'
import { RewardsBody } from '../work/reward-rows.ts'
import type { Works } from '../work/works.ts'

/** POST /v1/rewards: scores of responses, row by row as `qoq rewards` answers them. */
export const rewardsRoute: FastifyPluginAsync<{ works: Works }> = async (app, { works }) => {
  const schema = { body: z.toJSONSchema(RewardsBody, { target: 'draft-7', io: 'input' }) }
  app.post<{ Body: RewardsBody }>('/v1/rewards', { schema, config: { scope: 'rewards' } }, async ({ body }, reply) =>
    reply.type('application/json').send(await works.rewards(body)),
  )
}

import { estimateAdvantages, parseRewardBatch } from '@qoq-med/core-drpo'
import type { FastifyPluginAsync } from 'fastify'
import { z } from 'zod'
import { jsonText } from '../json-text.ts'
import { requireAtMost, type ServerLimits } from '../limits.ts'

/** What `qoq advantages` takes, beside the fields of a batch (`rewardBatchFields`). */
const Body = z.looseObject({
  estimator: z.string(),
  options: z.record(z.string(), z.unknown()).optional(),
  stages: z.boolean().optional(),
})

/** POST /v1/advantages: rewards of a batch in, advantages out. */
export const advantagesRoute: FastifyPluginAsync<{ limits: ServerLimits }> = async (app, { limits }) => {
  app.post<{ Body: z.infer<typeof Body> }>(
    '/v1/advantages',
    { schema: { body: z.toJSONSchema(Body, { target: 'draft-7', io: 'input' }) }, config: { scope: 'rewards' } },
    async ({ body: { estimator, options = {}, stages: wantsStages = false, ...fields } }, reply) => {
      const batch = parseRewardBatch(fields)
      // A length is a claim: token-level estimators make an array of that size.
      requireAtMost(limits.tokens, sum(batch.lengths ?? []), 'tokens')
      const { advantages, stages } = estimateAdvantages(estimator, batch, options, { stages: wantsStages })
      return reply.type('application/json').send(jsonText({ advantages, ...(wantsStages && { stages }) }))
    },
  )
}

function sum(values: ArrayLike<number>): number {
  return Array.from(values).reduce((total, value) => total + value, 0)
}

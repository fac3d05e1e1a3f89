import { estimateAdvantages } from '@qoq-med/core-drpo'
import type { FastifyPluginAsync } from 'fastify'
import { z } from 'zod'
import { jsonText } from '../json-text.ts'
import { requireAtMost, type ServerLimits } from '../limits.ts'

/** The batch of `qoq advantages` with that command's options beside it. */
const Body = z.strictObject({
  estimator: z.string(),
  options: z.record(z.string(), z.unknown()).optional(),
  stages: z.boolean().optional(),
  rewards: z.array(z.number()),
  questionIds: z.array(z.union([z.string(), z.number()])),
  domains: z.array(z.string()),
  kl: z.array(z.number()).optional(),
  lengths: z.array(z.int().min(0)).optional(),
  baselines: z.array(z.number()).optional(),
  values: z.array(z.array(z.number())).optional(),
})

/** POST /v1/advantages: rewards of a batch in, advantages out. */
export const advantagesRoute: FastifyPluginAsync<{ limits: ServerLimits }> = async (app, { limits }) => {
  app.post<{ Body: z.infer<typeof Body> }>(
    '/v1/advantages',
    { schema: { body: z.toJSONSchema(Body, { target: 'draft-7', io: 'input' }) } },
    async ({ body: { estimator, options = {}, stages: wantsStages = false, ...batch } }, reply) => {
      // A length is a claim: token-level estimators make an array of that size.
      requireAtMost(limits.tokens, sum(batch.lengths ?? []), 'tokens')
      const { advantages, stages } = estimateAdvantages(estimator, batch, options, { stages: wantsStages })
      return reply.type('application/json').send(jsonText({ advantages, ...(wantsStages && { stages }) }))
    },
  )
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

import { HintedError, isHintedError } from '@qoq-med/errors'
import { combine, type CompositeReward, presetNamed, readRewardRow, scoreRows } from '@qoq-med/rewards'
import type { FastifyPluginAsync } from 'fastify'
import { z } from 'zod'
import { serverErrors } from '../errors.ts'

/** Fields of a row are checked by the rewards package. Rewards by path, which would run a file, are not taken. */
const Body = z.strictObject({
  rows: z.array(z.record(z.string(), z.unknown())).min(1),
  preset: z.string().optional(),
  weights: z.record(z.string(), z.number()).optional(),
  box_format: z.enum(['xyxy', 'xywh']).optional(),
})

/** POST /v1/rewards: scores of responses, row by row as `qoq rewards` answers them. */
export const rewardsRoute: FastifyPluginAsync = async app => {
  app.post<{ Body: z.infer<typeof Body> }>(
    '/v1/rewards',
    { schema: { body: z.toJSONSchema(Body, { target: 'draft-7', io: 'input' }) }, config: { scope: 'rewards' } },
    async ({ body }) => {
      const composite = compositeOf(body)
      body.rows.forEach((row, index) => atPlace(`Row ${index}`, () => readRewardRow(row)))
      return { rows: await scoreRows(body.rows, composite, { format: body.box_format ?? 'xyxy' }) }
    },
  )
}

function compositeOf({ preset, weights }: z.infer<typeof Body>): CompositeReward {
  if (weights === undefined) return combine(presetNamed(preset ?? 'paper'))
  if (preset !== undefined)
    throw serverErrors.REQUEST_INVALID({ field: 'preset', problem: 'and field weights exclude each other' })
  return combine(weights)
}

/** Adds the place to an error that cannot know it; code and hint stay. */
function atPlace(place: string, check: () => void): void {
  try {
    check()
  } catch (cause) {
    if (!isHintedError(cause)) throw cause
    throw new HintedError(cause.code, `${place}: ${cause.message}`, cause.hint, { cause, status: cause.status })
  }
}

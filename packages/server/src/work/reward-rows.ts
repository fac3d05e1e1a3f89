import { HintedError, isHintedError } from '@qoq-med/errors'
import { combine, type CompositeReward, presetNamed, readRewardRow, scoreRows } from '@qoq-med/rewards'
import { z } from 'zod'
import { serverErrors } from '../errors.ts'

/** Fields of a row are checked by the rewards package. Rewards by path, which would run a file, are not taken. */
export const RewardsBody = z.strictObject({
  rows: z.array(z.record(z.string(), z.unknown())).min(1),
  preset: z.string().optional(),
  weights: z.record(z.string(), z.number()).optional(),
  box_format: z.enum(['xyxy', 'xywh']).optional(),
})

/** A checked body. */
export type RewardsBody = z.infer<typeof RewardsBody>

/** Scores responses row by row, as `qoq rewards` does. @throws the errors of the rewards package, with the row */
export async function rewardRows(body: RewardsBody): Promise<readonly object[]> {
  const composite = compositeOf(body)
  body.rows.forEach((row, index) => atPlace(`Row ${index}`, () => readRewardRow(row)))
  return scoreRows(body.rows, composite, { format: body.box_format ?? 'xyxy' })
}

function compositeOf({ preset, weights }: RewardsBody): CompositeReward {
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

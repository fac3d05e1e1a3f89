import { drpoErrors } from './errors.ts'
import { requireField, type RewardBatch } from './reward-batch.ts'

/** One number per token, response by response, without padding: [B][lengths[i]]. */
export type TokenRows = ArrayLike<ArrayLike<number>>

/** Refuses lengths that are not positive integers. @throws DRPO_LENGTH_INVALID */
export function checkTokenCounts(lengths: ArrayLike<number>, batch: RewardBatch): void {
  for (let response = 0; response < lengths.length; response++) {
    const length = lengths[response]!
    if (!Number.isInteger(length) || length < 1)
      throw drpoErrors.LENGTH_INVALID({ length, response, question: batch.questionIds[response]! })
  }
}

/**
 * Copies a field of one number per token.
 *
 * @throws DRPO_FIELD_MISSING, DRPO_LENGTH_MISMATCH, DRPO_TOKEN_ROW_MISMATCH, DRPO_VALUE_NOT_FINITE
 */
export function requireTokenRows(
  batch: RewardBatch,
  field: 'values' | 'tokenRewards',
  lengths: ArrayLike<number>,
  estimator: string,
): Float64Array[] {
  const rows = batch[field]
  if (rows === undefined) throw drpoErrors.FIELD_MISSING({ field, estimator })
  if (rows.length !== lengths.length)
    throw drpoErrors.LENGTH_MISMATCH({ field, length: rows.length, expected: lengths.length, like: 'rewards' })
  return Array.from(rows, (row, response) => {
    if (row.length !== lengths[response])
      throw drpoErrors.TOKEN_ROW_MISMATCH({ field, response, length: row.length, expected: lengths[response]! })
    const values = Float64Array.from(row)
    const bad = values.find(value => !Number.isFinite(value))
    if (bad !== undefined)
      throw drpoErrors.VALUE_NOT_FINITE({ field, value: bad, response, question: batch.questionIds[response]! })
    return values
  })
}

/** The reward of every token: as given, or the response's reward on its last token. */
export function tokenRewards(batch: RewardBatch, estimator: string): Float64Array[] {
  const lengths = requireField(batch, 'lengths', estimator)
  checkTokenCounts(lengths, batch)
  if (batch.tokenRewards !== undefined) return requireTokenRows(batch, 'tokenRewards', lengths, estimator)
  return Array.from(lengths, (length, response) => {
    const row = new Float64Array(length)
    row[length - 1] = batch.rewards[response]!
    return row
  })
}

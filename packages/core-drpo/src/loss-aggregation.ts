import { drpoErrors } from './errors.ts'
import type { TokenRows } from './token-rows.ts'

/**
 * How token losses become one number. B responses with n_i training tokens each; responses without any do not count.
 * - `sequence-mean-token-mean` (the paper): (1/B) Σ_i (1/n_i) Σ_t
 * - `token-mean` (DAPO, the public code): (1/Σ n_i) Σ_i Σ_t
 * - `sequence-mean-token-sum-norm` (Dr.GRPO): (1/B) Σ_i (1/L) Σ_t, L the longest row
 */
export type LossAggregation = 'sequence-mean-token-mean' | 'token-mean' | 'sequence-mean-token-sum-norm'

/** The names of `LossAggregation`. */
export const lossAggregations: readonly LossAggregation[] = [
  'sequence-mean-token-mean',
  'token-mean',
  'sequence-mean-token-sum-norm',
]

/**
 * The factor with which each token's loss enters the total, so that total = Σ weight · loss and the gradient of a token's
 * loss is multiplied by the same number.
 *
 * @param lossMask [B][T_i] 1 for a token that trains, 0 for one that does not
 * @returns [B][T_i] 0 where the mask is 0
 */
export function aggregationWeights(lossMask: TokenRows, aggregation: LossAggregation): Float64Array[] {
  const masks = Array.from(lossMask, row => Float64Array.from(row, value => (value === 0 ? 0 : 1)))
  const counts = masks.map(row => row.reduce((sum, value) => sum + value, 0))
  const responses = counts.filter(count => count > 0).length
  const tokens = counts.reduce((sum, count) => sum + count, 0)
  const longest = masks.reduce((most, row) => Math.max(most, row.length), 0)
  return masks.map((row, response) => {
    const share = {
      'sequence-mean-token-mean': 1 / (responses * counts[response]!),
      'token-mean': 1 / tokens,
      'sequence-mean-token-sum-norm': 1 / (responses * longest),
    }[aggregation]
    return row.map(value => (value === 0 ? 0 : share))
  })
}

/** A mask that trains every token of rows. */
export function fullMask(rows: TokenRows): Float64Array[] {
  return Array.from(rows, row => new Float64Array(row.length).fill(1))
}

/** Refuses rows that differ in number or length from those of `like`. @throws DRPO_LENGTH_MISMATCH, DRPO_TOKEN_ROW_MISMATCH */
export function checkSameShape(field: string, rows: TokenRows, likeField: string, like: TokenRows): void {
  if (rows.length !== like.length)
    throw drpoErrors.LENGTH_MISMATCH({ field, length: rows.length, expected: like.length, like: likeField })
  for (let response = 0; response < rows.length; response++) {
    const length = rows[response]!.length
    const expected = like[response]!.length
    if (length !== expected) throw drpoErrors.TOKEN_ROW_MISMATCH({ field, response, length, expected })
  }
}

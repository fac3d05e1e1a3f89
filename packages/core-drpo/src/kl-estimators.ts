import { checkSameShape, fullMask } from './loss-aggregation.ts'
import type { TokenRows } from './token-rows.ts'

/**
 * Estimates of KL(policy ‖ reference) from the log-probabilities of a sampled token (Schulman 2020), x = log π, y = log π_ref:
 * - `kl` (k1): x - y
 * - `abs`: |x - y|
 * - `mse` (k2): (x - y)² / 2
 * - `k3`: exp(y - x) - (y - x) - 1
 * - `low_var_kl`: k3, at most 10 as in the public code, so that one token cannot rule a sum
 * - `literal`: exp(x) · (x - y), eq. 4 as printed, at the sampled token
 */
export type KlEstimator = 'kl' | 'abs' | 'mse' | 'k3' | 'low_var_kl' | 'literal'

/** Where `low_var_kl` is cut off. */
const LARGEST_K3 = 10

/** Value and derivative with respect to x = log π of each estimator, y = log π_ref. */
export const klEstimators: Readonly<
  Record<
    KlEstimator,
    { readonly value: (x: number, y: number) => number; readonly gradient: (x: number, y: number) => number }
  >
> = {
  kl: { value: (x, y) => x - y, gradient: () => 1 },
  abs: { value: (x, y) => Math.abs(x - y), gradient: (x, y) => Math.sign(x - y) },
  mse: { value: (x, y) => (x - y) ** 2 / 2, gradient: (x, y) => x - y },
  k3: { value: (x, y) => Math.expm1(y - x) - (y - x), gradient: (x, y) => -Math.expm1(y - x) },
  low_var_kl: {
    value: (x, y) => Math.min(Math.expm1(y - x) - (y - x), LARGEST_K3),
    gradient: (x, y) => (Math.expm1(y - x) - (y - x) > LARGEST_K3 ? 0 : -Math.expm1(y - x)),
  },
  literal: { value: (x, y) => Math.exp(x) * (x - y), gradient: (x, y) => Math.exp(x) * (1 + x - y) },
}

/**
 * KL_i of each response: the masked sum of an estimate over its tokens, which `RewardBatch.kl` takes (eq. 4 sums it over
 * the question's responses).
 *
 * @param policyLogprobs [B][T_i] of the sampled tokens
 * @param refLogprobs [B][T_i] of the same tokens under the reference
 * @param lossMask [B][T_i] 0 for tokens that do not count; all count by default
 * @returns [B]
 * @throws DRPO_LENGTH_MISMATCH, DRPO_TOKEN_ROW_MISMATCH
 */
export function responseKl(
  policyLogprobs: TokenRows,
  refLogprobs: TokenRows,
  lossMask: TokenRows = fullMask(policyLogprobs),
  estimator: KlEstimator = 'low_var_kl',
): Float64Array {
  checkSameShape('refLogprobs', refLogprobs, 'policyLogprobs', policyLogprobs)
  checkSameShape('lossMask', lossMask, 'policyLogprobs', policyLogprobs)
  const { value } = klEstimators[estimator]
  return Float64Array.from(policyLogprobs, (row, response) => {
    let sum = 0
    for (let token = 0; token < row.length; token++)
      if (lossMask[response]![token] !== 0) sum += value(row[token]!, refLogprobs[response]![token]!)
    return sum
  })
}

/** A number with its derivative with respect to a vector of log-probabilities. V entries. */
export interface DistributionValue {
  readonly value: number
  /** [V] */
  readonly gradient: Float64Array
}

/**
 * The exact divergence of two distributions (`full`): Σ_v π_v (log π_v - log π_ref,v).
 *
 * @param logprobs [V] log π over the whole vocabulary; the gradient is with respect to these, each on its own
 * @param refLogprobs [V] log π_ref
 * @throws DRPO_TOKEN_ROW_MISMATCH
 */
export function fullKl(logprobs: ArrayLike<number>, refLogprobs: ArrayLike<number>): DistributionValue {
  checkSameShape('refLogprobs', [refLogprobs], 'logprobs', [logprobs])
  let value = 0
  const gradient = Float64Array.from(logprobs, (x, entry) => {
    const { value: valueOf, gradient: gradientOf } = klEstimators.literal
    if (x === -Infinity) return 0 // an impossible token, and the limit of π log π
    value += valueOf(x, refLogprobs[entry]!)
    return gradientOf(x, refLogprobs[entry]!)
  })
  return { value, gradient }
}

/**
 * The entropy of a distribution: -Σ_v π_v log π_v.
 *
 * @param logprobs [V] log π over the whole vocabulary; the gradient is with respect to these, each on its own
 */
export function entropy(logprobs: ArrayLike<number>): DistributionValue {
  let value = 0
  const gradient = Float64Array.from(logprobs, x => {
    const probability = Math.exp(x)
    if (probability === 0) return 0
    value -= probability * x
    return -probability * (1 + x)
  })
  return { value, gradient }
}

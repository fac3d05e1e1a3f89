import { aggregationWeights, checkSameShape, fullMask } from './loss-aggregation.ts'
import type { TokenRows } from './token-rows.ts'

/** A critic's loss and its gradient. B responses of T_i tokens. */
export interface ValueLoss {
  readonly loss: number
  /** [B][T_i] derivative with respect to `predictions`. */
  readonly gradient: readonly Float64Array[]
  /** Share of the training tokens at which the clip holds. */
  readonly clipFraction: number
}

/**
 * The clipped value loss of PPO, averaged over the training tokens of the batch:
 *
 *     ½ · max((v - R)², (clip(v, v_old - range, v_old + range) - R)²)
 *
 * @param predictions [B][T_i] v, the critic's values now
 * @param returns [B][T_i] R, of the GAE result
 * @param oldValues [B][T_i] v_old, the critic's values when the batch was sampled
 * @param clipRange how far v may move; Infinity for no clip
 * @param lossMask [B][T_i] 0 for tokens that do not train; all train by default
 * @throws DRPO_LENGTH_MISMATCH, DRPO_TOKEN_ROW_MISMATCH
 */
export function valueLoss(
  predictions: TokenRows,
  returns: TokenRows,
  oldValues: TokenRows,
  clipRange: number,
  lossMask: TokenRows = fullMask(predictions),
): ValueLoss {
  for (const [field, rows] of Object.entries({ returns, oldValues, lossMask }))
    checkSameShape(field, rows, 'predictions', predictions)
  let loss = 0
  let tokens = 0
  let clipped = 0
  const gradient = aggregationWeights(lossMask, 'token-mean').map((weights, response) =>
    weights.map((weight, token) => {
      if (weight === 0) return 0
      const value = predictions[response]![token]!
      const target = returns[response]![token]!
      const old = oldValues[response]![token]!
      const bounded = Math.min(Math.max(value, old - clipRange), old + clipRange)
      const isClipped = (value - target) ** 2 < (bounded - target) ** 2
      tokens += 1
      clipped += Number(isClipped)
      loss += (weight * ((isClipped ? bounded : value) - target) ** 2) / 2
      return isClipped ? 0 : weight * (value - target)
    }),
  )
  return { loss, gradient, clipFraction: tokens === 0 ? 0 : clipped / tokens }
}

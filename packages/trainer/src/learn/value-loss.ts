import type { Ops } from '@qoq-med/tensor'

/** Name of the critic's head: a linear map from hidden states to one number. */
export const valueHeadName = 'value_head'

/** The critic's value [M] at hidden states [M, hiddenSize]. */
export function tokenValues<T>(ops: Ops<T>, weights: (name: string) => T, hidden: T): T {
  const values = ops.linear(hidden, weights(`${valueHeadName}.weight`), weights(`${valueHeadName}.bias`))
  return ops.reshape(values, [ops.shape(hidden)[0]!])
}

/** What the value loss of a microbatch reads, each [M]: one entry per token that the policy wrote. */
export interface ValueLossInputs<T> {
  readonly predictions: T
  readonly returns: T
  readonly oldValues: T
  /** Share of each token in the loss; zero for padding. */
  readonly weights: T
}

/** The loss and the share of tokens at which the clip holds, both scalars. */
export interface ValueLoss<T> {
  readonly loss: T
  readonly clipFraction: T
}

/**
 * The clipped value loss of PPO, as core-drpo computes it as a number:
 *
 *     L = ½ Σ_t w_t max((v − R)², (clip(v, v_old − range, v_old + range) − R)²)
 *
 * @param clipRange how far a value may move from what it was when the batch was sampled
 */
export function valueLoss<T>(ops: Ops<T>, inputs: ValueLossInputs<T>, clipRange: number): ValueLoss<T> {
  const { predictions, returns, oldValues, weights } = inputs
  const square = (x: T): T => ops.mul(x, x)
  const bounded = ops.add(oldValues, ops.clamp(ops.sub(predictions, oldValues), -clipRange, clipRange))
  const plain = square(ops.sub(predictions, returns))
  const clipped = square(ops.sub(bounded, returns))
  // Not the maximum: where the two are equal, inside the range, the gradient is that of the plain error.
  const isClipped = ops.less(plain, clipped)
  const error = ops.where(isClipped, clipped, plain)
  const total = (x: T): T => ops.sum(ops.mul(x, weights), { axis: 0 })
  return {
    loss: ops.mul(total(error), ops.constant(0.5)),
    clipFraction: total(ops.where(isClipped, ops.constant(1), ops.constant(0))),
  }
}

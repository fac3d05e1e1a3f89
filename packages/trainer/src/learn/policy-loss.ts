import { aggregationWeights, type KlEstimator, type LossAggregation, type PolicyLossOptions } from '@qoq-med/core-drpo'
import type { Ops } from '@qoq-med/tensor'

/** What the loss of a microbatch reads, each [M]: one entry per token that the policy wrote. */
export interface PolicyLossInputs<T> {
  readonly policyLogprobs: T
  readonly oldLogprobs: T
  readonly refLogprobs: T
  readonly advantages: T
  /** Share of each token in the loss (`tokenWeights`); zero for padding. */
  readonly weights: T
  /** `weights` times β: an input, so that a coefficient that follows the measured KL needs no new graph. */
  readonly klWeights: T
}

/** Settings of the clipped objective that decide its graph: core-drpo's, of which the last two may be left out. */
export interface SurrogateOptions extends Pick<PolicyLossOptions, 'clipRatioLow' | 'clipRatioHigh'> {
  /** Lower bound −dualClip · |Â| on what a negative advantage may cost (Ye et al. 2020); none by default. */
  readonly dualClip?: PolicyLossOptions['dualClip'] | undefined
  /** Estimate of KL(policy ‖ reference). Default `k3`. */
  readonly klEstimator?: LossKlEstimator | undefined
}

/** Settings of the clipped objective. */
export interface PolicyLossGraphOptions extends SurrogateOptions, Pick<PolicyLossOptions, 'klCoefficient'> {}

/** The loss and what a step reports of it: means under the token weights, all scalars. */
export interface PolicyLossGraph<T> {
  readonly loss: T
  /** Mean estimate of KL(policy ‖ reference). */
  readonly klPenalty: T
  /** Share of tokens at which the clip range decides. */
  readonly clipFraction: T
  /** Share of tokens at which the dual clip decides, where there is one. */
  readonly dualClipFraction?: T
}

/**
 * The clipped surrogate with a KL penalty (paper, section 3.3; token weights carry the aggregation):
 *
 *     L = − Σ_t w_t [ min(φ_t Â_t, clip(φ_t, 1 − low, 1 + high) Â_t) − β KL_t ],   φ_t = exp(log π_θ − log π_old)
 *     KL_t = exp(Δ) − Δ − 1,   Δ = log π_ref − log π_θ
 */
export function policyLossGraph<T>(
  ops: Ops<T>,
  inputs: PolicyLossInputs<T>,
  options: SurrogateOptions,
): PolicyLossGraph<T> {
  const { oldLogprobs, refLogprobs, advantages, weights, klWeights } = inputs
  // Padding has some log-probability too: exp(−it) may be infinite, and infinity times a weight of zero is no number.
  const policyLogprobs = ops.where(ops.less(ops.constant(0), weights), inputs.policyLogprobs, oldLogprobs)
  const { clipRatioLow, clipRatioHigh, dualClip, klEstimator = 'k3' } = options
  const total = (x: T, share: T): T => ops.sum(ops.mul(x, share), { axis: 0 })

  const importanceRatio = ops.exp(ops.sub(policyLogprobs, oldLogprobs))
  const unclipped = ops.mul(importanceRatio, advantages)
  const clipped = ops.mul(ops.clamp(importanceRatio, 1 - clipRatioLow, 1 + clipRatioHigh), advantages)
  const single = ops.minimum(unclipped, clipped)
  const surrogate = dualClip === undefined ? single : bounded(ops, single, advantages, dualClip)

  const kl = klEstimates[klEstimator](ops, ops.sub(refLogprobs, policyLogprobs))
  const shareOf = (smaller: T, larger: T): T =>
    total(ops.where(ops.less(smaller, larger), ops.constant(1), ops.constant(0)), weights)
  return {
    loss: ops.sub(total(kl, klWeights), total(surrogate, weights)),
    klPenalty: total(kl, weights),
    clipFraction: shareOf(clipped, unclipped),
    ...(dualClip !== undefined && { dualClipFraction: shareOf(single, surrogate) }),
  }
}

/** Estimates that the loss may use; `literal` needs the probability itself and is a measurement only. */
export type LossKlEstimator = Exclude<KlEstimator, 'literal'>

/** Where `low_var_kl` cuts k3 off, as in core-drpo and the public code. */
const largestK3 = 10
/** Beyond it k3 is cut off in any case; exp stays finite, so that a gradient of zero stays zero. */
const largestDelta = 20

/** The KL estimates of core-drpo's `klEstimators` as graphs of Δ = log π_ref − log π_θ. */
const klEstimates: Readonly<Record<LossKlEstimator, <T>(ops: Ops<T>, delta: T) => T>> = {
  kl: (ops, delta) => ops.neg(delta),
  abs: (ops, delta) => ops.abs(delta),
  mse: (ops, delta) => ops.mul(ops.mul(delta, delta), ops.constant(0.5)),
  k3,
  low_var_kl: (ops, delta) =>
    ops.minimum(k3(ops, ops.clamp(delta, -largestDelta, largestDelta)), ops.constant(largestK3)),
}

function k3<T>(ops: Ops<T>, delta: T): T {
  return ops.sub(ops.sub(ops.exp(delta), delta), ops.constant(1))
}

function bounded<T>(ops: Ops<T>, surrogate: T, advantages: T, dualClip: number): T {
  const floor = ops.maximum(surrogate, ops.mul(advantages, ops.constant(dualClip)))
  return ops.where(ops.less(advantages, ops.constant(0)), floor, surrogate)
}

/** Mean negative log-likelihood under the token weights: the loss of supervised fine-tuning. `policyLogprobs` [M]. */
export function sftLoss<T>(ops: Ops<T>, policyLogprobs: T, weights: T): T {
  return ops.neg(ops.sum(ops.mul(policyLogprobs, weights), { axis: 0 }))
}

/**
 * The weight of each completion's tokens in the loss (`aggregationWeights` of core-drpo): the mean over tokens, then over
 * responses (paper), over all tokens (DAPO, the public code), or with a fixed length (Dr.GRPO).
 *
 * @param lengths tokens per completion over the whole minibatch; a completion without tokens weighs nothing
 * @param maxLength Dr.GRPO's fixed length: the longest completion allowed
 * @returns one weight per completion, for each of its tokens
 */
export function tokenWeights(lengths: readonly number[], aggregation: LossAggregation, maxLength: number): number[] {
  const width = Math.max(maxLength, ...lengths)
  const masks = lengths.map(length => new Float64Array(width).fill(1, 0, length))
  return aggregationWeights(masks, aggregation).map(row => row[0]!)
}

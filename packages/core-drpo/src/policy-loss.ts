import { klEstimators } from './kl-estimators.ts'
import { aggregationWeights, checkSameShape, fullMask, lossAggregations } from './loss-aggregation.ts'
import { drpoErrors } from './errors.ts'
import { parseOptions, type OptionTable, type OptionValues } from './option-schema.ts'
import type { TokenRows } from './token-rows.ts'

/** What the policy loss reads. B responses of T_i tokens. */
export interface PolicyLossInput {
  /** [B][T_i] log π_θ of the sampled tokens. */
  readonly policyLogprobs: TokenRows
  /** [B][T_i] log π_old: under the policy that sampled them. */
  readonly oldLogprobs: TokenRows
  /** [B] or [B][T_i] Â */
  readonly advantages: ArrayLike<number> | TokenRows
  /** [B][T_i] log π_ref, for a KL penalty. */
  readonly refLogprobs?: TokenRows | undefined
  /** [B][T_i] 0 for tokens that do not train; all train by default. */
  readonly lossMask?: TokenRows | undefined
}

/** The options of the policy loss; the defaults are the paper's objective without its KL term. */
export const policyLossOptionTable = {
  clipRatioLow: { type: 'number', default: 0.2, minimum: 0, maximum: 1, about: 'φ is clipped at 1 - this' },
  clipRatioHigh: { type: 'number', default: 0.2, minimum: 0, maximum: 1e6, about: 'φ is clipped at 1 + this' },
  dualClip: { type: 'number', default: 0, minimum: 0, maximum: 1e6, about: 'bound of φ for Â < 0 (> 1); 0 for none' },
  aggregation: {
    type: 'choice',
    default: 'sequence-mean-token-mean',
    choices: lossAggregations,
    about: 'how tokens are averaged',
  },
  importanceLevel: {
    type: 'choice',
    default: 'token',
    choices: ['token', 'sequence'],
    about: 'φ of the token, or of the whole response (GSPO)',
  },
  klCoefficient: { type: 'number', default: 0, minimum: 0, maximum: 1e6, about: 'β' },
  klEstimator: {
    type: 'choice',
    default: 'low_var_kl',
    choices: ['kl', 'abs', 'mse', 'k3', 'low_var_kl', 'literal'],
    about: 'estimate of the penalty',
  },
} as const satisfies OptionTable

/** Checked options of the policy loss. */
export type PolicyLossOptions = OptionValues<typeof policyLossOptionTable>

/** A loss to minimise, its parts and its gradient. B responses of T_i tokens. */
export interface PolicyLoss {
  /** `surrogate` + β · `klPenalty`. */
  readonly loss: number
  /** Aggregated -min(φÂ, clip(φ)Â). */
  readonly surrogate: number
  /** Aggregated KL estimate; 0 without a coefficient. */
  readonly klPenalty: number
  /** [B][T_i] derivative of `loss` with respect to `policyLogprobs`. */
  readonly gradient: readonly Float64Array[]
  /** Share of the training tokens at which the clip holds. */
  readonly clipFraction: number
  /** Share of the training tokens at which the dual clip holds. */
  readonly dualClipFraction: number
  /** Mean of log π_old - log π_θ over the training tokens. */
  readonly oldKl: number
}

/**
 * The clipped surrogate of PPO, GRPO and DRPO, as a number with its gradient:
 *
 *     φ = exp(log π_θ - log π_old),   loss = -min(φÂ, clip(φ, 1 - low, 1 + high) Â) + β · KL
 *
 * For Â < 0 a dual clip bounds φ from above (Ye et al. 2020). With `importanceLevel: "sequence"`, φ is the exponential of
 * the response's mean difference (GSPO; Zheng et al. 2025), and every token of it has that one φ.
 *
 * @throws DRPO_LENGTH_MISMATCH, DRPO_TOKEN_ROW_MISMATCH, DRPO_UNKNOWN_OPTION, DRPO_INVALID_OPTION, DRPO_FIELD_MISSING
 */
export function policyLoss(input: PolicyLossInput, given: Partial<PolicyLossOptions> = {}): PolicyLoss {
  const options = parseOptions('policyLoss', policyLossOptionTable, given)
  const { policyLogprobs, oldLogprobs } = input
  const lossMask = input.lossMask ?? fullMask(policyLogprobs)
  checkSameShape('oldLogprobs', oldLogprobs, 'policyLogprobs', policyLogprobs)
  checkSameShape('lossMask', lossMask, 'policyLogprobs', policyLogprobs)
  const advantages = tokenAdvantages(input.advantages, policyLogprobs)
  const weights = aggregationWeights(lossMask, options.aggregation)
  const total = { surrogate: 0, klPenalty: 0, tokens: 0, clipped: 0, dualClipped: 0, oldKl: 0 }
  const gradient = weights.map((weight, response) => {
    const row = responseRow(input, advantages, weight, response)
    const slopes = addSurrogate(row, options, total)
    if (options.klCoefficient > 0) addKlPenalty(row, refRow(input, response), options, total, slopes)
    return slopes
  })
  const { surrogate, klPenalty, tokens } = total
  const share = (sum: number): number => (tokens === 0 ? 0 : sum / tokens)
  return {
    loss: surrogate + options.klCoefficient * klPenalty,
    surrogate,
    klPenalty,
    gradient,
    clipFraction: share(total.clipped),
    dualClipFraction: share(total.dualClipped),
    oldKl: share(total.oldKl),
  }
}

/** One response of T tokens. */
interface ResponseRow {
  readonly policy: ArrayLike<number>
  readonly old: ArrayLike<number>
  readonly advantages: ArrayLike<number>
  /** [T] of `aggregationWeights`; 0 for a token that does not train. */
  readonly weights: Float64Array
}

interface Totals {
  surrogate: number
  klPenalty: number
  tokens: number
  clipped: number
  dualClipped: number
  oldKl: number
}

function responseRow(
  { policyLogprobs, oldLogprobs }: PolicyLossInput,
  advantages: TokenRows,
  weights: Float64Array,
  response: number,
): ResponseRow {
  const [policy, old] = [policyLogprobs[response]!, oldLogprobs[response]!]
  return { policy, old, advantages: advantages[response]!, weights }
}

function refRow({ refLogprobs, policyLogprobs }: PolicyLossInput, response: number): ArrayLike<number> {
  if (refLogprobs === undefined)
    throw drpoErrors.FIELD_MISSING({ field: 'refLogprobs', estimator: 'a policy loss with a klCoefficient' })
  checkSameShape('refLogprobs', refLogprobs, 'policyLogprobs', policyLogprobs)
  return refLogprobs[response]!
}

function tokenAdvantages(advantages: ArrayLike<number> | TokenRows, policyLogprobs: TokenRows): TokenRows {
  if (advantages.length !== policyLogprobs.length)
    throw drpoErrors.LENGTH_MISMATCH({
      field: 'advantages',
      length: advantages.length,
      expected: policyLogprobs.length,
      like: 'policyLogprobs',
    })
  const rows = Array.from(policyLogprobs, (row, response) => {
    const advantage = advantages[response]!
    return typeof advantage === 'number' ? new Float64Array(row.length).fill(advantage) : advantage
  })
  checkSameShape('advantages', rows, 'policyLogprobs', policyLogprobs)
  return rows
}

/** Adds a response's surrogate to the totals, and returns its derivative per token. */
function addSurrogate(row: ResponseRow, options: PolicyLossOptions, total: Totals): Float64Array {
  const { policy, old, advantages, weights } = row
  const logRatios = weights.map((weight, token) => (weight === 0 ? 0 : policy[token]! - old[token]!))
  const tokens = weights.filter(weight => weight > 0).length
  const meanLogRatio = logRatios.reduce((sum, value) => sum + value, 0) / tokens
  const isSequence = options.importanceLevel === 'sequence'
  let sequenceSlope = 0
  const slopes = weights.map((weight, token) => {
    if (weight === 0) return 0
    const ratio = Math.exp(isSequence ? meanLogRatio : logRatios[token]!)
    const { loss, slope, isClipped, isDualClipped } = clippedSurrogate(ratio, advantages[token]!, options)
    total.surrogate += weight * loss
    total.clipped += Number(isClipped)
    total.dualClipped += Number(isDualClipped)
    total.oldKl -= logRatios[token]!
    sequenceSlope += (weight * slope * ratio) / tokens
    return weight * slope * ratio
  })
  total.tokens += tokens
  return isSequence ? slopes.map((_, token) => (weights[token] === 0 ? 0 : sequenceSlope)) : slopes
}

/** One token's -min(φÂ, clip(φ)Â) with the dual clip, and its derivative with respect to φ. */
function clippedSurrogate(
  ratio: number,
  advantage: number,
  { clipRatioLow, clipRatioHigh, dualClip }: PolicyLossOptions,
): { loss: number; slope: number; isClipped: boolean; isDualClipped: boolean } {
  const plain = -ratio * advantage
  const bounded = -Math.min(Math.max(ratio, 1 - clipRatioLow), 1 + clipRatioHigh) * advantage
  const isClipped = plain < bounded
  const loss = isClipped ? bounded : plain
  const isDualClipped = dualClip > 0 && advantage < 0 && loss > -dualClip * advantage
  if (isDualClipped) return { loss: -dualClip * advantage, slope: 0, isClipped, isDualClipped }
  return { loss, slope: isClipped ? 0 : -advantage, isClipped, isDualClipped }
}

function addKlPenalty(
  { policy, weights }: ResponseRow,
  ref: ArrayLike<number>,
  { klEstimator, klCoefficient }: PolicyLossOptions,
  total: Totals,
  slopes: Float64Array,
): void {
  const { value, gradient } = klEstimators[klEstimator]
  weights.forEach((weight, token) => {
    if (weight === 0) return
    total.klPenalty += weight * value(policy[token]!, ref[token]!)
    slopes[token]! += klCoefficient * weight * gradient(policy[token]!, ref[token]!)
  })
}

import type { HintedError } from '@qoq-med/errors'
import { rewardsErrors } from './errors.ts'
import type { RewardResult } from './reward.ts'

/** A reward that could not be used for a sample: it threw, timed out, or answered something that is no score. */
export interface RewardFailure {
  readonly reward: string
  readonly sampleId: string
  /** Code REWARDS_THREW, REWARDS_TIMEOUT, REWARDS_NOT_FINITE or REWARDS_OUT_OF_RANGE; `cause` has what was thrown. */
  readonly error: HintedError
}

/** The score of one response and everything it was made of. */
export interface Breakdown {
  /** Weighted mean of the parts, in [0, 1]. */
  readonly score: number
  /** Unweighted score of every reward that applied; 0 for one that failed. */
  readonly parts: Readonly<Record<string, number>>
  /** Weights as used, over the rewards that applied; their sum is 1, or 0 where none applied. */
  readonly weights: Readonly<Record<string, number>>
  /** Rewards that did not apply, with the reason; their weight went to the others. */
  readonly skipped: Readonly<Record<string, string>>
  /** What the rewards say about their scores. */
  readonly detail: Readonly<Record<string, unknown>>
  /** Rewards that failed; each counts as 0. */
  readonly failures: readonly RewardFailure[]
}

/** What became of one reward for one response. */
export type Outcome = RewardResult | { readonly failure: RewardFailure }

/** Turns whatever a reward answered into an outcome: a number outside [0, 1] or no number at all is a failure. */
export function checkResult(result: unknown, reward: string, sampleId: string): Outcome {
  if (typeof result === 'object' && result !== null) {
    if ('notApplicable' in result && typeof result.notApplicable === 'string') {
      return { notApplicable: result.notApplicable }
    }
    if ('score' in result && typeof result.score === 'number') {
      const { score } = result
      if (score >= 0 && score <= 1) return { score, detail: 'detail' in result ? asDetail(result.detail) : undefined }
      if (Number.isFinite(score))
        return failed(reward, sampleId, rewardsErrors.OUT_OF_RANGE({ reward, sampleId, score }))
      return failed(reward, sampleId, rewardsErrors.NOT_FINITE({ reward, sampleId, score: String(score) }))
    }
  }
  return failed(
    reward,
    sampleId,
    rewardsErrors.NOT_FINITE({ reward, sampleId, score: `no score but ${typeof result}` }),
  )
}

/** A reward that threw, as an outcome; the thrown value becomes the cause. */
export function threw(cause: unknown, reward: string, sampleId: string): Outcome {
  return failed(reward, sampleId, rewardsErrors.THREW({ reward, sampleId, reason: reasonOf(cause) }, { cause }))
}

/** What the reward itself says, in one line. */
export function reasonOf(cause: unknown): string {
  return (cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause)).split('\n', 1)[0]!.slice(0, 300)
}

/** A failed reward as an outcome. */
export function failed(reward: string, sampleId: string, error: HintedError): Outcome {
  return { failure: { reward, sampleId, error } }
}

/** Combines outcomes: weights of rewards that do not apply go to the others in proportion (section 3.4). */
export function breakdownOf(
  terms: readonly { readonly name: string; readonly weight: number }[],
  outcomes: readonly Outcome[],
): Breakdown {
  const [parts, weights, skipped, detail]: [Numbers, Numbers, Record<string, string>, Record<string, unknown>] = [
    {},
    {},
    {},
    {},
  ]
  const failures: RewardFailure[] = []
  let [weighted, total] = [0, 0]
  for (const [i, { name, weight }] of terms.entries()) {
    const outcome = outcomes[i]
    if (outcome === undefined) continue
    if ('notApplicable' in outcome) {
      skipped[name] = outcome.notApplicable
      continue
    }
    if ('failure' in outcome) failures.push(outcome.failure)
    else if (outcome.detail !== undefined) detail[name] = outcome.detail
    const score = 'score' in outcome ? outcome.score : 0
    parts[name] = score
    weights[name] = weight
    weighted += weight * score
    total += weight
  }
  for (const name of Object.keys(weights)) weights[name] = total > 0 ? (weights[name] ?? 0) / total : 0
  return { score: total > 0 ? Math.min(1, weighted / total) : 0, parts, weights, skipped, detail, failures }
}

type Numbers = Record<string, number>

function asDetail(detail: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof detail === 'object' && detail !== null ? { ...detail } : undefined
}

import { breakdownOf, checkResult, threw, type Breakdown, type Outcome } from './breakdown.ts'
import { rewardsErrors } from './errors.ts'
import { parseResponse, type ParsedResponse } from './parse/parsed-response.ts'
import type { AsyncReward, Reward } from './reward.ts'
import { createTerms, type RewardTerm, type RewardWeights } from './term.ts'
import { truthVocabulary, type Truth } from './truth.ts'

/** A weighted combination of rewards; itself a reward, so that combinations nest. */
export interface CompositeReward<Kind = Reward> {
  /**
   * Scores one response, text or parsed; `sampleId` names it in failures.
   *
   * @throws REWARDS_ASYNC_REWARD when a reward answers with a promise
   */
  (response: string | ParsedResponse, truth: Truth, sampleId?: string): Breakdown
  /** What is combined, with the weights as given. */
  readonly terms: readonly RewardTerm<Kind>[]
}

/**
 * Combines rewards into their weighted mean (section 3.4):
 *
 *     r = sum_k w_k r_k / sum_k w_k, over the rewards k that apply to the sample
 *
 * The breakdown keeps every part. A reward that throws or answers NaN is reported in `failures` and counts as 0.
 *
 * @throws REWARDS_UNKNOWN_REWARD, REWARDS_WEIGHT_INVALID, REWARDS_WEIGHTS_EMPTY for weights that cannot be used
 * @example combine(presets.paper)('<think>…</think> \\boxed{Edema}', { answer: ['Edema'] }).score
 */
export function combine<Kind extends AsyncReward = Reward>(
  weights: RewardWeights<Kind>,
): CompositeReward<Kind | Reward> {
  const terms = createTerms(weights)
  const score = (response: string | ParsedResponse, truth: Truth, sampleId = 'unnamed'): Breakdown => {
    const parsed = parseFor(response, truth)
    return breakdownOf(
      terms,
      terms.map(term => outcomeOf(term, parsed, truth, sampleId)),
    )
  }
  return Object.assign(score, { terms })
}

/** Parses a response with the names its truth knows; a parsed one stays as it is. */
export function parseFor(response: string | ParsedResponse, truth: Truth): ParsedResponse {
  return typeof response === 'string' ? parseResponse(response, { vocabulary: truthVocabulary(truth) }) : response
}

function outcomeOf(term: RewardTerm, response: ParsedResponse, truth: Truth, sampleId: string): Outcome {
  const answer = answerOf(term, response, truth, sampleId)
  if (answer instanceof Promise) throw rewardsErrors.ASYNC_REWARD({ reward: term.name })
  return answer
}

/** Asks one reward; a throw or a rejection becomes a failed outcome. */
export function answerOf(
  { name, reward }: RewardTerm,
  response: ParsedResponse,
  truth: Truth,
  sampleId: string,
): Outcome | Promise<Outcome> {
  try {
    const result: unknown = reward(response, truth)
    if (!isThenable(result)) return checkResult(result, name, sampleId)
    return Promise.resolve(result).then(
      settled => checkResult(settled, name, sampleId),
      (cause: unknown) => threw(cause, name, sampleId),
    )
  } catch (cause) {
    return threw(cause, name, sampleId)
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}

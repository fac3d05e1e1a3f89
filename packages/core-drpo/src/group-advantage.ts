import type { QuestionGroups } from './reward-batch.ts'

/** Which deviation eq. 1 divides by: n - 1 (as torch.std) or n in the variance. */
export type Deviation = 'sample' | 'population'

/** Eq. 1 with its parts. Q questions, B responses. */
export interface GroupAdvantages {
  /** [Q] mean reward of the question. */
  readonly means: Float64Array
  /** [Q] deviation of the question's rewards. */
  readonly deviations: Float64Array
  /** [B] s in batch order. */
  readonly normalized: Float64Array
}

/**
 * Compares each response with the others of its question (GRPO, eq. 1):
 *
 *     s[q,i] = (r[q,i] - mean_i r[q,i]) / (deviation_i r[q,i] + epsilon)
 *
 * The paper does not say which deviation; the default is the sample one (docs/paper-map.md#drpo). A group of equal
 * rewards gives exactly 0, not the rounding noise of its mean over epsilon.
 *
 * @param rewards [B] finite
 * @param groups the batch sorted into questions of at least two responses
 */
export function groupAdvantages(
  rewards: ArrayLike<number>,
  groups: QuestionGroups,
  epsilon = 1e-6,
  deviation: Deviation = 'sample',
): GroupAdvantages {
  const questions = groups.questionIds.length
  const means = new Float64Array(questions)
  const deviations = new Float64Array(questions)
  const normalized = new Float64Array(rewards.length)
  for (let question = 0; question < questions; question++) {
    const responses = groups.responses.subarray(groups.starts[question], groups.starts[question + 1])
    const unit = unitOf(rewards, responses)
    const { mean, spread } = groupMoments(rewards, responses, unit, deviation)
    means[question] = mean * unit
    deviations[question] = spread * unit
    if (spread === 0) continue
    for (const response of responses)
      normalized[response] = (rewards[response]! / unit - mean) / (spread + epsilon / unit)
  }
  return { means, deviations, normalized }
}

/** Largest magnitude that may be squared and summed without overflow; beyond it a group is measured in units of it. */
const LARGEST_SQUARABLE = 1e150

function unitOf(rewards: ArrayLike<number>, responses: Int32Array): number {
  let largest = 0
  for (const response of responses) largest = Math.max(largest, Math.abs(rewards[response]!))
  return largest > LARGEST_SQUARABLE ? largest : 1
}

function groupMoments(
  rewards: ArrayLike<number>,
  responses: Int32Array,
  unit: number,
  deviation: Deviation,
): { mean: number; spread: number } {
  const first = rewards[responses[0]!]!
  let sum = 0
  let equal = true
  for (const response of responses) {
    sum += rewards[response]! / unit
    if (rewards[response] !== first) equal = false
  }
  if (equal) return { mean: first / unit, spread: 0 }
  const mean = sum / responses.length
  let squares = 0
  for (const response of responses) squares += (rewards[response]! / unit - mean) ** 2
  return { mean, spread: Math.sqrt(squares / (responses.length - (deviation === 'sample' ? 1 : 0))) }
}

import type { Completion, Encoded, ScoredSequence } from '@qoq-med/model'
import type { Breakdown } from '@qoq-med/rewards'
import type { Question } from '../run/prepared-sample.ts'

/**
 * A completion with the question that it answers. On its way through a step it grows: its reward, what reference and critic
 * say of it, its advantage.
 */
export interface Rollout {
  /** Index into the step's questions. */
  readonly question: number
  readonly prepared: Question
  /** Its `logprobs` are the old ones of the loss: those of the policy that sampled, as the sampler wrote them down. */
  readonly completion: Completion
}

/** A rollout with what it earned. */
export interface RewardedRollout extends Rollout {
  readonly breakdown: Breakdown
  /** What the advantages are made of: the score, less a penalty for length where the stage has one. */
  readonly reward: number
  /** Reward of the most likely answer to the same question, where the algorithm compares with it. */
  readonly baseline?: number
  /** False for an answer that was cut off, where the stage does not train on those. */
  readonly trains: boolean
}

/** A rollout with what the models beside the policy say of it. */
export interface ScoredRollout extends RewardedRollout {
  /** [n] under the frozen reference; the old ones where there is none. */
  readonly refLogprobs: Float32Array
  /** [n] the critic's value before each token, where there is a critic. */
  readonly values?: Float32Array
}

/** A rollout that is ready to train. */
export interface AdvantagedRollout extends ScoredRollout {
  /** One for all tokens, or [n]. */
  readonly advantage: number | Float64Array
  /** [n] what a critic should have said before each token. */
  readonly returns?: Float64Array
}

/** Rollouts as a learner scores them. @param prompts one per rollout */
export function sequencesOf(rollouts: readonly Rollout[], prompts: readonly Encoded[]): ScoredSequence[] {
  return rollouts.map(({ completion }, i) => ({ prompt: prompts[i]!, completion: completion.tokenIds }))
}

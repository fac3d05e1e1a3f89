import type { PolicyStage } from '../config/run-config.ts'
import { trainerErrors } from '../errors.ts'
import type { CompletionScores } from '../learn/learner.ts'
import type { RewardedRollout } from './rollouts.ts'
import { mean } from '../stage/stage-context.ts'

/** What the trainer says of the rollouts of a step's first update, whose weights are still those that sampled. */
export interface FirstScores {
  /** Mean entropy of a token. */
  readonly entropy: number
  /** Largest difference of a token's log-probability between sampler and trainer. */
  readonly logprobGap: number
}

/**
 * Compares the trainer's scores with what the sampler wrote down.
 *
 * @throws TRAINER_LOGPROB_GAP above the limit of the stage: what trains would not be what was sampled
 */
export function firstScores(
  stage: PolicyStage,
  step: number,
  rollouts: readonly RewardedRollout[],
  scores: readonly CompletionScores[],
): FirstScores {
  let [gap, at] = [0, 0]
  rollouts.forEach(({ completion }, i) => {
    completion.logprobs.forEach((logprob, t) => {
      const difference = Math.abs(logprob - scores[i]!.logprobs[t]!)
      if (difference > gap) [gap, at] = [difference, i]
    })
  })
  const { limit } = stage.logprobGap
  if (limit !== undefined && gap > limit) {
    const sample = rollouts[at]!.prepared.sample.id
    throw trainerErrors.LOGPROB_GAP({ gap, limit, stage: stage.name, step, sample })
  }
  return { entropy: mean(scores.flatMap(({ entropy }) => [...entropy])), logprobGap: gap }
}

import type { PolicyStage } from '../config/run-config.ts'
import { trainerErrors } from '../errors.ts'
import type { CompletionScores } from '../learn/policy-objective.ts'
import { mean } from '../means.ts'
import { StepFault } from '../run/at-step.ts'
import type { RewardedRollout } from './rollout.ts'

/** What the trainer says of the rollouts of a step's first update, whose weights are still those that sampled. */
export interface FirstScores {
  /** Mean entropy of a token. */
  readonly entropy: number
  /** Largest difference of a token's log-probability between sampler and trainer; over all minibatches unless `logprobGap.over` says otherwise. */
  readonly logprobGap: number
}

/** Compares the trainer's scores of a step's first update with what the sampler wrote down. @throws StepFault as `logprobGap` */
export function firstScores(
  stage: Pick<PolicyStage, 'logprobGap'>,
  rollouts: readonly RewardedRollout[],
  scores: readonly CompletionScores[],
): FirstScores {
  const gap = logprobGap(
    stage,
    rollouts,
    scores.map(({ logprobs }) => logprobs),
  )
  return { entropy: mean(scores.flatMap(({ entropy }) => [...entropy])), logprobGap: gap }
}

/**
 * Largest difference of a token's log-probability between sampler and trainer.
 *
 * @param rows what the trainer says of each rollout, under the weights that sampled
 * @throws StepFault above the limit of the stage: what trains would not be what was sampled
 */
export function logprobGap(
  { logprobGap: { limit } }: Pick<PolicyStage, 'logprobGap'>,
  rollouts: readonly RewardedRollout[],
  rows: readonly Float32Array[],
): number {
  let [gap, at] = [0, 0]
  rollouts.forEach(({ completion }, i) => {
    completion.logprobs.forEach((logprob, t) => {
      const difference = Math.abs(logprob - rows[i]![t]!)
      if (difference > gap) [gap, at] = [difference, i]
    })
  })
  if (limit === undefined || gap <= limit) return gap
  const sample = rollouts[at]!.prepared.sample.id
  throw new StepFault(false, place => trainerErrors.LOGPROB_GAP({ gap, limit, ...place, sample }))
}

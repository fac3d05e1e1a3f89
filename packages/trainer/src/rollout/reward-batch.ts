import { klEstimators, responseKl, type RewardBatch } from '@qoq-med/core-drpo'
import { algorithmOf } from '../config/algorithms.ts'
import type { PolicyStage } from '../config/run-config.ts'
import type { ScoredRollout } from './rollout.ts'

/**
 * Makes the advantage estimator's input of a step. With `klIn: reward`, the penalty is taken from the reward of each token,
 * and their sum from the reward of the response:
 *
 *     r_t = [t = last] r − β KL_t
 *
 * @param klCoefficient β of this step
 */
export function rewardBatch(
  rollouts: readonly ScoredRollout[],
  stage: PolicyStage,
  klCoefficient: number,
): RewardBatch {
  const logprobs = rollouts.map(({ completion }) => completion.logprobs)
  const reference = rollouts.map(({ refLogprobs }) => refLogprobs)
  // The low-variance estimate that the loss already computes.
  const dampingKl = stage.klEstimator === 'low_var_kl' ? 'low_var_kl' : 'k3'
  const baselines = rollouts.flatMap(({ baseline }) => baseline ?? [])
  const values = rollouts.flatMap(rollout => (rollout.values ? [rollout.values] : []))
  const demographics = rollouts.map(({ prepared }) => prepared.sample.demographics ?? '')
  const tokenRewards = stage.klIn === 'reward' ? penalised(rollouts, stage, klCoefficient) : undefined
  return {
    rewards: tokenRewards
      ? tokenRewards.map(row => row.reduce((sum, value) => sum + value, 0))
      : rollouts.map(({ reward }) => reward),
    questionIds: rollouts.map(({ question }) => question),
    domains: rollouts.map(({ prepared }) => prepared.sample[stage.groupBy]),
    lengths: rollouts.map(({ completion }) => completion.tokenIds.length),
    ...(demographics.some(label => label !== '') && { demographics }),
    ...(algorithmOf(stage).readsKl && { kl: responseKl(logprobs, reference, undefined, dampingKl) }),
    ...(baselines.length > 0 && { baselines }),
    ...(values.length > 0 && { values }),
    ...(tokenRewards && { tokenRewards }),
  }
}

function penalised(
  rollouts: readonly ScoredRollout[],
  { klEstimator }: PolicyStage,
  klCoefficient: number,
): Float64Array[] {
  const { value } = klEstimators[klEstimator]
  return rollouts.map(({ reward, completion, refLogprobs }) => {
    const row = Float64Array.from(completion.logprobs, (logprob, t) => -klCoefficient * value(logprob, refLogprobs[t]!))
    row[row.length - 1]! += reward
    return row
  })
}

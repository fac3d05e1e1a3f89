import { advantageEstimators, parseOptions } from '@qoq-med/core-drpo'
import { combine, presetNamed, type Reward } from '@qoq-med/rewards'
import { algorithmOf } from './algorithms.ts'
import { isPolicyStage, type PolicyStage, type TrainConfig } from './run-config.ts'

/**
 * Checks names and options that other packages know: a late stage should not fail on one after hours.
 *
 * @throws REWARDS_UNKNOWN_REWARD, REWARDS_WEIGHTS_EMPTY, DRPO_UNKNOWN_OPTION, DRPO_INVALID_OPTION
 */
export function checkNames({ rewards, stages }: TrainConfig): void {
  checkRewardNames(rewards)
  for (const stage of stages) if (isPolicyStage(stage)) checkAdvantageOptions(stage)
}

/** Stands for a reward that is not loaded. */
const unloaded: Reward = () => ({ score: 0 })

function checkRewardNames(rewards: TrainConfig['rewards']): void {
  if (typeof rewards === 'string') return void presetNamed(rewards)
  const weights = Object.entries(rewards).map(([name, entry]) => {
    return [name, typeof entry === 'number' ? entry : { weight: entry.weight, reward: unloaded }] as const
  })
  combine(Object.fromEntries(weights))
}

function checkAdvantageOptions(stage: PolicyStage): void {
  const { name, options } = advantageEstimators.get(algorithmOf(stage).estimator)
  parseOptions(name, options, stage.advantage)
}

import { combine, presetNamed, type CompositeReward } from '@qoq-med/rewards'
import type { TrainConfig } from './config.ts'

/** The reward of a run: a preset of the rewards package, or weights by name. @throws REWARDS_UNKNOWN_REWARD, REWARDS_WEIGHTS_EMPTY */
export function runReward(rewards: TrainConfig['rewards']): CompositeReward {
  return combine(typeof rewards === 'string' ? presetNamed(rewards) : rewards)
}

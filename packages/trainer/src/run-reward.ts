import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { combine, loadWeights, presetNamed, type CompositeReward, type Reward } from '@qoq-med/rewards'
import type { TrainConfig } from './config.ts'

/**
 * Loads the reward of a run: a preset of the rewards package, or weights by name, with modules of one's own.
 *
 * @param baseFolder what paths of modules are relative to
 * @throws REWARDS_UNKNOWN_REWARD, REWARDS_WEIGHTS_EMPTY, REWARDS_MODULE_UNREADABLE, REWARDS_MODULE_WITHOUT_REWARD
 */
export async function loadRunReward(rewards: TrainConfig['rewards'], baseFolder: string): Promise<CompositeReward> {
  if (typeof rewards === 'string') return combine(presetNamed(rewards))
  const importModule = (path: string): Promise<unknown> => import(pathToFileURL(resolve(baseFolder, path)).href)
  // A reward that answers with a promise is refused when it does (REWARDS_ASYNC_REWARD).
  return combine(await loadWeights(rewards, importModule)) as CompositeReward
}

/** Stands for a reward that is not loaded. */
const stub: Reward = () => ({ score: 0 })

/** Checks the names of rewards before a run. @throws REWARDS_UNKNOWN_REWARD, REWARDS_WEIGHTS_EMPTY */
export function checkRewardNames(rewards: TrainConfig['rewards']): void {
  if (typeof rewards === 'string') return void presetNamed(rewards)
  const weights = Object.entries(rewards).map(([name, entry]) => {
    return [name, typeof entry === 'number' ? entry : { weight: entry.weight, reward: stub }] as const
  })
  combine(Object.fromEntries(weights))
}

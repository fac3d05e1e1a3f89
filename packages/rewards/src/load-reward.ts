import { reasonOf } from './breakdown.ts'
import { rewardsErrors } from './errors.ts'
import type { AsyncReward } from './reward.ts'
import type { RewardWeights } from './term.ts'

/** Imports a module by the path a config gives; the caller decides what paths are relative to. */
export type ImportModule = (path: string) => Promise<unknown>

/** Weights as a config file writes them: a built-in reward's weight, or a weight and the path of a module. */
export type RewardConfig = Readonly<Record<string, number | { readonly weight: number; readonly path: string }>>

/**
 * Loads a reward of one's own: the default export of a module, or its export `reward`. The module's code runs: load
 * only what you would run yourself.
 *
 * @param importModule usually `path => import(pathToFileURL(resolve(path)).href)`
 * @throws REWARDS_MODULE_UNREADABLE when the import fails
 * @throws REWARDS_MODULE_WITHOUT_REWARD when neither export is a function
 */
export async function loadReward(path: string, importModule: ImportModule): Promise<AsyncReward> {
  let module: unknown
  try {
    module = await importModule(path)
  } catch (cause) {
    throw rewardsErrors.MODULE_UNREADABLE({ path, reason: reasonOf(cause) }, { cause })
  }
  const exported = typeof module === 'object' && module !== null ? module : {}
  const candidates = [
    'default' in exported ? exported.default : undefined,
    'reward' in exported ? exported.reward : undefined,
  ]
  const found = candidates.find(candidate => typeof candidate === 'function')
  if (found === undefined) throw rewardsErrors.MODULE_WITHOUT_REWARD({ path, exported: Object.keys(exported) })
  return found as AsyncReward // its answers are checked at every call
}

/**
 * Turns weights of a config file into weights for `combine`, loading the rewards that are given by path.
 *
 * @throws REWARDS_MODULE_UNREADABLE, REWARDS_MODULE_WITHOUT_REWARD as `loadReward` does
 * @example combine(await loadWeights({ accuracy: 0.8, mine: { weight: 0.2, path: './mine.ts' } }, importModule))
 */
export async function loadWeights(config: RewardConfig, importModule: ImportModule): Promise<RewardWeights> {
  const entries = Object.entries(config).map(async ([name, entry]) => {
    if (typeof entry === 'number') return [name, entry] as const
    return [name, { weight: entry.weight, reward: await loadReward(entry.path, importModule) }] as const
  })
  return Object.fromEntries(await Promise.all(entries))
}

import { builtInRewards } from './built-in-rewards.ts'
import { rewardsErrors } from './errors.ts'
import type { AsyncReward, Reward } from './reward.ts'

/** A weight for a built-in reward, or a reward of one's own with its weight. */
export type WeightedReward<Kind = AsyncReward> = number | { readonly weight: number; readonly reward: Kind }

/** Weights by name: `{ accuracy: 0.6, iou: 0.2, mine: { weight: 0.2, reward: myReward } }`. */
export type RewardWeights<Kind = AsyncReward> = Readonly<Record<string, WeightedReward<Kind>>>

/** One reward of a combination. */
export interface RewardTerm<Kind = AsyncReward> {
  readonly name: string
  readonly weight: number
  readonly reward: Kind
}

/**
 * Checks weights and looks built-in rewards up.
 *
 * @throws REWARDS_UNKNOWN_REWARD for a name that is not built in and has no reward
 * @throws REWARDS_WEIGHT_INVALID for a negative or non-finite weight
 * @throws REWARDS_WEIGHTS_EMPTY when no weight is above 0
 */
export function createTerms<Kind>(weights: RewardWeights<Kind>): readonly RewardTerm<Kind | Reward>[] {
  const terms = Object.entries(weights).map(([name, weighted]) => {
    const term = isNamed(weighted) ? { name, weight: weighted, reward: builtIn(name) } : { name, ...weighted }
    if (!(Number.isFinite(term.weight) && term.weight >= 0))
      throw rewardsErrors.WEIGHT_INVALID({ name, weight: term.weight })
    return term
  })
  if (!terms.some(term => term.weight > 0)) throw rewardsErrors.WEIGHTS_EMPTY({})
  return terms
}

function isNamed<Kind>(weighted: WeightedReward<Kind>): weighted is number {
  return typeof weighted !== 'object' || weighted === null
}

function builtIn(name: string): Reward {
  const found = Object.entries(builtInRewards).find(([known]) => known === name)
  if (found === undefined) throw rewardsErrors.UNKNOWN_REWARD({ name, known: Object.keys(builtInRewards) })
  return found[1]
}

import { rewardsErrors } from './errors.ts'
import { length } from './length.ts'
import { releaseAccuracy } from './release/release-accuracy.ts'
import { releaseFormat } from './release/release-format.ts'
import { releaseIou } from './release/release-iou.ts'
import type { Reward } from './reward.ts'
import type { RewardWeights } from './term.ts'

/** Auxiliary rewards of B.3. */
export type AuxiliaryReward = 'format' | 'lenientFormat' | 'coherence'

/**
 * Weights of section 3.4: accuracy .6, IoU .2, auxiliary .2, split equally over the enabled auxiliary rewards.
 *
 * @param auxiliary the enabled ones; the format reward alone by default; none leaves .6 and .2, which are normalised
 * @example paperWeights(['format', 'coherence']) // { accuracy: 0.6, iou: 0.2, format: 0.1, coherence: 0.1 }
 */
export function paperWeights(auxiliary: readonly AuxiliaryReward[] = ['format']): RewardWeights<Reward> {
  const enabled = [...new Set(auxiliary)]
  return { accuracy: 0.6, iou: 0.2, ...Object.fromEntries(enabled.map(name => [name, 0.2 / enabled.length])) }
}

/** Weights and rewards by preset name. */
export interface RewardPresets {
  /** Section 3.4 and B.3 as the paper prints them. */
  readonly paper: RewardWeights<Reward>
  /** The public training code to the digit: weights .5, .3, .1, .1 with its own parser, rounding and length reward. */
  readonly release: RewardWeights<Reward>
}

/** The two published rewards. */
export const presets: RewardPresets = {
  paper: paperWeights(),
  release: {
    accuracy: { weight: 0.5, reward: releaseAccuracy },
    iou: { weight: 0.3, reward: releaseIou },
    format: { weight: 0.1, reward: releaseFormat },
    length: { weight: 0.1, reward: length },
  },
}

/**
 * Looks a preset up by name, as `--preset` gives it.
 *
 * @throws REWARDS_UNKNOWN_PRESET with the nearest name
 */
export function presetNamed(name: string): RewardWeights<Reward> {
  if (name === 'paper' || name === 'release') return presets[name]
  throw rewardsErrors.UNKNOWN_PRESET({ name, known: Object.keys(presets) })
}

import type { Reward } from './reward.ts'
import type { RewardWeights } from './term.ts'

/** Weights of section 3.4: accuracy .6, IoU .2, auxiliary .2 (the format reward; see `paperWeights` for more). */
const paper = { accuracy: 0.6, iou: 0.2, format: 0.2 } as const

/** Weights by preset name. */
export const presets: { readonly paper: RewardWeights<Reward> } = { paper }

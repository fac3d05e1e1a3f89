import { estimateAdvantages, parseRewardBatch } from '@qoq-med/core-drpo'
import { jsonText } from '../json-text.ts'
import { requireAtMost } from '../limits.ts'
import { decodeMedia } from '../media/decode-media.ts'
import type { DecodeMediaOptions, DecodedMedia, MediaFile } from '../media/decoded-media.ts'
import { rewardRows, type RewardsBody } from './reward-rows.ts'

/** An advantage request, and the tokens that it may claim. */
export interface AdvantagesWork {
  readonly estimator: string
  readonly options: Readonly<Record<string, unknown>>
  readonly wantsStages: boolean
  readonly fields: Readonly<Record<string, unknown>>
  readonly maxTokens: number
}

/** What takes long enough to be done beside the thread that serves. Inputs and results cross to other threads: they are plain data. */
export interface Works {
  decode(work: { readonly files: readonly MediaFile[]; readonly options: DecodeMediaOptions }): Promise<DecodedMedia>
  rewards(work: RewardsBody): Promise<string>
  /** The document as text: numbers are many. */
  advantages(work: AdvantagesWork): Promise<string>
}

/** The work itself, wherever it is done. */
export const works: Works = {
  decode: async ({ files, options }) => decodeMedia(files, options),
  rewards: async body => JSON.stringify({ rows: await rewardRows(body) }),
  advantages: async ({ estimator, options, wantsStages, fields, maxTokens }) => {
    const batch = parseRewardBatch(fields)
    // A length is a claim: token-level estimators make an array of that size.
    requireAtMost(maxTokens, sum(batch.lengths ?? []), 'tokens')
    const { advantages, stages } = estimateAdvantages(estimator, batch, options, { stages: wantsStages })
    return jsonText({ advantages, ...(wantsStages && { stages }) })
  },
}

function sum(values: ArrayLike<number>): number {
  return Array.from(values).reduce((total, value) => total + value, 0)
}

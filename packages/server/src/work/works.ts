import { requireFewFiles, requireFewParts } from '../body-counts.ts'
import { jsonBody } from '../json-body.ts'
import type { ServerLimits } from '../limits.ts'
import { decodeMedia } from '../media/decode-media.ts'
import type { DecodedMedia, DecodeMediaOptions, SentFile } from '../media/decoded-media.ts'
import { openFile } from '../media/open-file.ts'
import { viewDocument } from '../media/view-document.ts'
import { AdvantagesBody, advantagesDocument } from './advantage-batch.ts'
import { answerBatch, type BatchWork } from './batch-body.ts'
import { takeLongTexts, type LongTexts } from '../media/long-texts.ts'
import { rewardRows, RewardsBody } from './reward-rows.ts'

/** A body to parse. */
export interface BodyWork {
  readonly bytes: Uint8Array
  /** What it holds, which says what is counted in it. */
  readonly kind: 'messages' | 'files' | 'other'
  readonly limits: ServerLimits
}

/** What a body says. */
export interface ParsedBody {
  readonly value: unknown
  /** What was taken out of it. */
  readonly texts: LongTexts
}

/** Files to decode. */
export interface DecodeWork {
  readonly files: readonly SentFile[]
  readonly options: DecodeMediaOptions
}

/** What takes long enough to be done beside the thread that serves. Inputs and results cross to other threads: they are plain data. */
export interface Works {
  /** Parses a body and counts what is in it. */
  body(work: BodyWork): Promise<ParsedBody>
  decode(work: DecodeWork): Promise<DecodedMedia>
  /** The document as bytes, as of the next two: pixels and numbers are many. */
  view(work: DecodeWork): Promise<Uint8Array>
  rewards(work: BatchWork): Promise<Uint8Array>
  advantages(work: BatchWork): Promise<Uint8Array>
}

/** The work itself, wherever it is done. */
export const works: Works = {
  body: async ({ bytes, kind, limits }) => {
    const value = jsonBody(bytes, limits)
    if (kind === 'messages') requireFewParts(value, limits)
    else if (kind === 'files') requireFewFiles(value, limits)
    return { value, texts: takeLongTexts(value) }
  },
  decode: async ({ files, options }) => decodeMedia(files.map(openFile), options),
  view: async ({ files, options }) => viewDocument(files.map(openFile), options),
  rewards: async work => answerBatch(work, RewardsBody, async body => JSON.stringify({ rows: await rewardRows(body) })),
  advantages: async work =>
    answerBatch(work, AdvantagesBody, body => advantagesDocument(body, { maxTokens: work.limits.tokens })),
}

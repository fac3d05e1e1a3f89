import type { PixelPatches, PreparedEcg } from '@qoq-med/encoders'
import { modelErrors } from '../errors.ts'
import type { Encoded } from './encoded.ts'
import { mropePositions, tokenType, type MropeRule } from '../architectures/qwen2.5-vl/positions.ts'

/** A batch as transformers' processors give it. */
export interface BatchArrays {
  readonly batch: number
  readonly length: number
  /** [B * T] */
  readonly tokenIds: Int32Array
  /** [B * T] 1 for a token, 0 for padding on either side. Default: all ones. */
  readonly attentionMask?: Int32Array | undefined
  /** Pictures of the whole batch, in the order of their placeholders. */
  readonly images: readonly PixelPatches[]
  readonly videos: readonly PixelPatches[]
  readonly ecgs: readonly PreparedEcg[]
}

/** What the placeholders of a batch mean. */
export interface PlaceholderMeaning {
  readonly imageTokenId: number | undefined
  readonly videoTokenId: number | undefined
  readonly timeSeriesTokenId: number | undefined
  /** Tokens that a picture or clip gives. */
  visionTokens(patches: PixelPatches): number
  /** Tokens that an ECG gives. */
  readonly ecgTokens: number
  readonly spatialMergeSize: number
  readonly tokensPerSecond: number
  readonly mropeRule: MropeRule
}

/** One row of a batch without its padding. */
export interface EncodedRow {
  readonly prompt: Encoded
  /** [T'] where each of its tokens stood in the row. */
  readonly places: Int32Array
}

/**
 * Turns a padded batch into prompts: every placeholder token is given its media, in the order of the batch.
 *
 * @throws MODEL_PLACEHOLDER_MISMATCH when placeholders and media do not add up
 * @throws MODEL_GRID_MISMATCH when a run of placeholders is not as long as its picture
 */
export function encodedRows(arrays: BatchArrays, meaning: PlaceholderMeaning): EncodedRow[] {
  const media = {
    image: arrays.images.map(patches => ({ patches, tokens: meaning.visionTokens(patches) })),
    video: arrays.videos.map(patches => ({ patches, tokens: meaning.visionTokens(patches) })),
    ecg: arrays.ecgs.map(ecg => ({ ecg, tokens: meaning.ecgTokens })),
  }
  checkCounts(arrays, meaning, media)
  return Array.from({ length: arrays.batch }, (_, row) => encodedRow(arrays, meaning, row, media))
}

/** Media that are not used yet; rows take theirs from the front. */
interface MediaQueues {
  readonly image: { patches: PixelPatches; tokens: number }[]
  readonly video: { patches: PixelPatches; tokens: number }[]
  readonly ecg: { ecg: PreparedEcg; tokens: number }[]
}

function encodedRow(arrays: BatchArrays, meaning: PlaceholderMeaning, row: number, media: MediaQueues): EncodedRow {
  const { length, attentionMask } = arrays
  const first = row * length
  const isToken = (i: number): boolean => attentionMask === undefined || attentionMask[first + i] === 1
  const places = Int32Array.from({ length }, (_, i) => i).filter(isToken)
  const tokenIds = places.map(place => arrays.tokenIds[first + place]!)
  const kinds = Array.from(tokenIds, id => kindOf(meaning, id))
  const taken = takeMedia(kinds, media)
  const grids = (kind: 'image' | 'video') =>
    taken.vision.flatMap(each => (each.kind === kind ? [each.patches.gridThw] : []))
  const { positionIds, ropeDelta } = mropePositions(
    kinds.map(kind => (kind === 'image' || kind === 'video' ? tokenType[kind] : tokenType.text)),
    {
      imageGrids: grids('image'),
      videoGrids: grids('video'),
      spatialMergeSize: meaning.spatialMergeSize,
      tokensPerSecond: meaning.tokensPerSecond,
      rule: meaning.mropeRule,
    },
  )
  const placesOf = (isWanted: (kind: Kind) => boolean): Int32Array =>
    Int32Array.from(kinds.flatMap((kind, i) => (isWanted(kind) ? [i] : [])))
  return {
    places,
    prompt: {
      tokenIds,
      positionIds,
      ropeDelta,
      visionPositions: placesOf(kind => kind === 'image' || kind === 'video'),
      ecgPositions: placesOf(kind => kind === 'ecg'),
      vision: taken.vision.map(each => each.patches),
      ecgs: taken.ecgs,
    },
  }
}

type Kind = 'text' | 'image' | 'video' | 'ecg'

function kindOf({ imageTokenId, videoTokenId, timeSeriesTokenId }: PlaceholderMeaning, id: number): Kind {
  if (id === imageTokenId) return 'image'
  if (id === videoTokenId) return 'video'
  return id === timeSeriesTokenId ? 'ecg' : 'text'
}

interface TakenMedia {
  readonly vision: { kind: 'image' | 'video'; patches: PixelPatches }[]
  readonly ecgs: PreparedEcg[]
}

function takeMedia(kinds: readonly Kind[], media: MediaQueues): TakenMedia {
  const taken: TakenMedia = { vision: [], ecgs: [] }
  for (let i = 0; i < kinds.length;) {
    const kind = kinds[i]!
    if (kind === 'text') i++
    else if (kind === 'ecg') {
      const { ecg, tokens } = media.ecg.shift()! // counted before
      taken.ecgs.push(ecg)
      i += tokens
    } else {
      const { patches, tokens } = media[kind].shift()! // counted before
      taken.vision.push({ kind, patches })
      i += tokens
    }
  }
  return taken
}

function checkCounts({ tokenIds, attentionMask }: BatchArrays, meaning: PlaceholderMeaning, media: MediaQueues): void {
  const found: Record<Kind, number> = { text: 0, image: 0, video: 0, ecg: 0 }
  for (const [i, id] of tokenIds.entries()) if (attentionMask?.[i] !== 0) found[kindOf(meaning, id)]++
  for (const kind of ['image', 'video', 'ecg'] as const) {
    const expected = media[kind].reduce((sum, { tokens }) => sum + tokens, 0)
    if (found[kind] !== expected) throw modelErrors.PLACEHOLDER_MISMATCH({ token: kind, found: found[kind], expected })
  }
}

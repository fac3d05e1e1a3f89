import { sizeLadder, type HostTensor } from '@qoq-med/encoders'
import type { Ops, TokenLogprobs } from '@qoq-med/tensor'
import type { DecoderConfig } from '../checkpoint/decoder-config.ts'
import { causalMask } from '../decoder/attention.ts'
import { decoder, embedTokens, vocabularyHead } from '../decoder/decoder.ts'
import { rotaryTables } from '../decoder/rotary-tables.ts'
import { splice } from '../decoder/splice.ts'
import type { Weights } from '../decoder/weights.ts'
import type { Encoded } from '../prompt/encoded.ts'
import { mediaBatch, type MediaBatch, type PolicyEncoders } from './media-batch.ts'
import { branchMask, packForLeastWork, packRows, type PackedRow } from './packed-rows.ts'

/** A prompt and what was answered: the tokens whose log-probabilities are wanted. */
export interface ScoredSequence {
  readonly prompt: Encoded
  readonly completion: Int32Array
}

/** Lengths are rounded up to a multiple of these that stands on `sizeLadder`, so that few graphs serve many batches. */
export interface ScoreRounding {
  /** Tokens per sequence. Default 32. */
  readonly length?: number
  /** Completion tokens of the whole batch. Default 64. */
  readonly scores?: number
}

/** Options of `scoreBatch`. */
export interface ScoreOptions {
  /** Sampling temperature that divides the logits. Default 1. */
  readonly temperature?: number
  /** Rows of the vocabulary head at a time. Default: all. */
  readonly chunk?: number
  readonly rounding?: ScoreRounding
  /**
   * Completions of one prompt object that share a row, in which the prompt is computed once. Default: as many as take the
   * least work.
   */
  readonly completionsPerRow?: number
}

/** Sequences packed for one forward pass, with the graph that scores them. */
export interface ScoreBatch {
  /** Equal keys have equal graphs: only the contents of `inputs` differ. */
  readonly key: string
  readonly inputs: Readonly<Record<string, HostTensor>>
  /** M: entries of the results, padding included. */
  readonly scores: number
  /** Where each sequence's completion begins among the M. */
  readonly starts: readonly number[]
  /** Final hidden states [M, hiddenSize] from which each completion token is predicted: what a value head reads. */
  hidden<T>(ops: Ops<T>, weights: Weights<T>, inputs: (name: string) => T): T
  /** Log-probability and entropy [M] of every completion token; padding has values without meaning. */
  forward<T>(ops: Ops<T>, weights: Weights<T>, inputs: (name: string) => T): TokenLogprobs<T>
}

/**
 * Packs sequences for scoring and training. Rows are padded on the right, so the mask alone keeps padding out of every token
 * that counts, and only completion tokens reach the vocabulary head.
 */
export function scoreBatch(
  config: DecoderConfig,
  encoders: PolicyEncoders,
  sequences: readonly ScoredSequence[],
  options: ScoreOptions = {},
): ScoreBatch {
  const { temperature = 1, chunk, rounding = {}, completionsPerRow } = options
  const { length: lengthStep = 32, scores: scoreStep = 64 } = rounding
  const paddedLength = (packed: readonly PackedRow[]): number =>
    lengthStep * sizeLadder(Math.ceil(Math.max(...packed.map(row => row.length)) / lengthStep), 4)
  const rows =
    completionsPerRow === undefined
      ? packForLeastWork(sequences, packed => packed.length * rowWork(config, paddedLength(packed)))
      : packRows(sequences, completionsPerRow)
  const batch = rows.length
  const length = paddedLength(rows)
  const completionTokens = sequences.reduce((sum, { completion }) => sum + completion.length, 0)
  const scores = scoreStep * sizeLadder(Math.ceil(completionTokens / scoreStep))
  const media = mediaBatch(
    encoders,
    rows.map(row => row.prompt),
    'doubled',
  )
  const isBranched = rows.some(({ members }) => members.length > 1)
  const { tensors, starts } = pack(config, media, { rows, sequences }, { length, scores, isBranched })
  const shape = `${batch}x${length}${isBranched ? ' branched' : ''} ${scores}`
  const hiddenStates = <T>(ops: Ops<T>, weights: Weights<T>, inputs: (name: string) => T): T => {
    const text = embedTokens(ops, weights, inputs('tokenIds'))
    const encoded = media.forward(ops, weights, inputs)
    const mask = isBranched ? inputs('mask') : ops.constant(causalMask(length), [length, length])
    const { hidden } = decoder(ops, weights, config, {
      embeddings: encoded === undefined ? text : splice(ops, text, encoded, inputs('rows')),
      cos: inputs('cos'),
      sin: inputs('sin'),
      batch,
      length,
      mask,
    })
    return ops.gatherRows(hidden, inputs('scoreRows'))
  }
  return {
    key: `score ${shape} t${temperature} c${chunk ?? 0} ${media.key}`,
    inputs: { ...tensors, ...media.inputs },
    scores,
    starts,
    hidden: hiddenStates,
    forward: (ops, weights, inputs) =>
      ops.tokenLogprobs(hiddenStates(ops, weights, inputs), vocabularyHead(weights, config), inputs('targets'), {
        temperature,
        ...(chunk !== undefined && { chunk }),
      }),
  }
}

/**
 * Multiplications of a layer over a row of tokens, those of attention one and a half times: its masks and softmax take
 * about half as long as its products (profiles of TINY and SmolLM2 shapes, docs/log.md).
 */
function rowWork(config: DecoderConfig, length: number): number {
  const { hiddenSize, intermediateSize, numHeads, numKvHeads, headDim } = config
  const linear = hiddenSize * (2 * (numHeads + numKvHeads) * headDim + 3 * intermediateSize)
  const attention = 2 * length * numHeads * headDim
  return length * (linear + 1.5 * attention)
}

interface PackedSizes {
  readonly length: number
  readonly scores: number
  readonly isBranched: boolean
}

function pack(
  config: DecoderConfig,
  media: MediaBatch,
  { rows, sequences }: { rows: readonly PackedRow[]; sequences: readonly ScoredSequence[] },
  { length, scores, isBranched }: PackedSizes,
): { tensors: Record<string, HostTensor>; starts: number[] } {
  const count = rows.length * length
  const axes = config.mropeSection ? 3 : 1
  const tokenIds = new Int32Array(count)
  const positionIds = new Int32Array(axes * count)
  const spliced = Int32Array.from({ length: count }, (_, i) => i)
  const placeOf = new Map<number, { first: number; start: number }>()
  rows.forEach(({ prompt, members }, row) => {
    const first = row * length
    tokenIds.set(prompt.tokenIds, first)
    const from = media.firstRows(prompt)
    prompt.visionPositions.forEach((at, j) => (spliced[first + at] = count + from.vision + j))
    prompt.ecgPositions.forEach((at, j) => (spliced[first + at] = count + from.ecg + j))
    for (const { sequence, start } of members) {
      tokenIds.set(sequences[sequence]!.completion, first + start)
      placeOf.set(sequence, { first, start })
    }
    writePositions(positionIds, { prompt, members }, sequences, { first, axes, count })
  })
  const scoreRows = new Int32Array(scores)
  const targets = new Int32Array(scores)
  const starts: number[] = []
  let score = 0
  sequences.forEach(({ prompt, completion }, sequence) => {
    const { first, start } = placeOf.get(sequence)! // every sequence is in a row
    starts.push(score)
    // The token before a completion token predicts it; before the first one that is the prompt's last.
    completion.forEach((token, i) => {
      scoreRows[score] = first + (i === 0 ? prompt.tokenIds.length : start + i) - 1
      targets[score++] = token
    })
  })
  const tables = rotaryTables(config, positionIds)
  const half = config.headDim / 2
  const mask = isBranched && branchMask(rows, sequences, length)
  return {
    starts,
    tensors: {
      tokenIds: int32(tokenIds),
      cos: { dtype: 'float32', shape: [count, half], data: tables.cos },
      sin: { dtype: 'float32', shape: [count, half], data: tables.sin },
      scoreRows: int32(scoreRows),
      targets: int32(targets),
      ...(media.rows > 0 && { rows: int32(spliced) }),
      ...(mask && { mask: { dtype: 'float32' as const, shape: [rows.length, 1, 1, length, length], data: mask } }),
    },
  }
}

/** Positions of a row: the prompt's own, then all axes advance together in each completion. Padding stays at 0. */
function writePositions(
  positionIds: Int32Array,
  { prompt, members }: Pick<PackedRow, 'prompt' | 'members'>,
  sequences: readonly ScoredSequence[],
  { first, axes, count }: { first: number; axes: number; count: number },
): void {
  const prefix = prompt.tokenIds.length
  for (let axis = 0; axis < axes; axis++) {
    const from = axis * count + first
    positionIds.set(prompt.positionIds.subarray(axis * prefix, (axis + 1) * prefix), from)
    for (const { sequence, start } of members) {
      const tokens = sequences[sequence]!.completion.length
      for (let i = 0; i < tokens; i++) positionIds[from + start + i] = prefix + i + prompt.ropeDelta
    }
  }
}

function int32(data: Int32Array): HostTensor {
  return { dtype: 'int32', shape: [data.length], data }
}

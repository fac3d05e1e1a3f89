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

/** A prompt and what was answered: the tokens whose log-probabilities are wanted. */
export interface ScoredSequence {
  readonly prompt: Encoded
  readonly completion: Int32Array
}

/** Lengths are rounded up to 1, 2, 3, 4, 6, 8, 12, 16, … times these, so that few graphs serve many batches. */
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
 * Packs sequences for scoring and training. They are padded on the right, so the causal mask alone keeps padding out of
 * every token that counts, and only completion tokens reach the vocabulary head.
 */
export function scoreBatch(
  config: DecoderConfig,
  encoders: PolicyEncoders,
  sequences: readonly ScoredSequence[],
  { temperature = 1, chunk, rounding: { length: lengthStep = 32, scores: scoreStep = 64 } = {} }: ScoreOptions = {},
): ScoreBatch {
  const batch = sequences.length
  const length = roundUp(Math.max(...sequences.map(sequenceLength)), lengthStep)
  const scores = roundUp(
    sequences.reduce((sum, { completion }) => sum + completion.length, 0),
    scoreStep,
  )
  const media = mediaBatch(
    encoders,
    sequences.map(sequence => sequence.prompt),
  )
  const { tensors, starts } = pack(config, media, sequences, { length, scores })
  const key = `score ${batch}x${length} ${scores} t${temperature} c${chunk ?? 0} ${media.key}`
  const hiddenStates = <T>(ops: Ops<T>, weights: Weights<T>, inputs: (name: string) => T): T => {
    const text = embedTokens(ops, weights, inputs('tokenIds'))
    const encoded = media.forward(ops, weights, inputs)
    const mask = ops.constant(causalMask(length), [length, length])
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
    key,
    scores,
    starts,
    inputs: { ...tensors, ...media.inputs },
    hidden: hiddenStates,
    forward: (ops, weights, inputs) =>
      ops.tokenLogprobs(hiddenStates(ops, weights, inputs), vocabularyHead(weights, config), inputs('targets'), {
        temperature,
        ...(chunk !== undefined && { chunk }),
      }),
  }
}

function pack(
  config: DecoderConfig,
  media: MediaBatch,
  sequences: readonly ScoredSequence[],
  { length, scores }: { length: number; scores: number },
): { tensors: Record<string, HostTensor>; starts: number[] } {
  const count = sequences.length * length
  const axes = config.mropeSection ? 3 : 1
  const tokenIds = new Int32Array(count)
  const positionIds = new Int32Array(axes * count)
  const rows = Int32Array.from({ length: count }, (_, i) => i)
  const scoreRows = new Int32Array(scores)
  const targets = new Int32Array(scores)
  const starts: number[] = []
  let score = 0
  sequences.forEach(({ prompt, completion }, sequence) => {
    const first = sequence * length
    tokenIds.set(prompt.tokenIds, first)
    tokenIds.set(completion, first + prompt.tokenIds.length)
    writePositions(positionIds, prompt, { first, axes, count, length })
    const from = media.firstRows(prompt)
    prompt.visionPositions.forEach((at, j) => (rows[first + at] = count + from.vision + j))
    prompt.ecgPositions.forEach((at, j) => (rows[first + at] = count + from.ecg + j))
    starts.push(score)
    // The token before a completion token predicts it.
    completion.forEach((token, i) => {
      scoreRows[score] = first + prompt.tokenIds.length - 1 + i
      targets[score++] = token
    })
  })
  const tables = rotaryTables(config, positionIds)
  const half = config.headDim / 2
  return {
    starts,
    tensors: {
      tokenIds: int32(tokenIds),
      cos: { dtype: 'float32', shape: [count, half], data: tables.cos },
      sin: { dtype: 'float32', shape: [count, half], data: tables.sin },
      scoreRows: int32(scoreRows),
      targets: int32(targets),
      ...(media.rows > 0 && { rows: int32(rows) }),
    },
  }
}

/** Positions of one sequence: the prompt's own, then all axes advance together. */
function writePositions(
  positionIds: Int32Array,
  prompt: Encoded,
  { first, axes, count, length }: { first: number; axes: number; count: number; length: number },
): void {
  const promptLength = prompt.tokenIds.length
  for (let axis = 0; axis < axes; axis++) {
    positionIds.set(prompt.positionIds.subarray(axis * promptLength, (axis + 1) * promptLength), axis * count + first)
    for (let i = promptLength; i < length; i++) positionIds[axis * count + first + i] = i + prompt.ropeDelta
  }
}

function sequenceLength({ prompt, completion }: ScoredSequence): number {
  return prompt.tokenIds.length + completion.length
}

function int32(data: Int32Array): HostTensor {
  return { dtype: 'int32', shape: [data.length], data }
}

function roundUp(length: number, step: number): number {
  return step * sizeLadder(Math.ceil(length / step))
}

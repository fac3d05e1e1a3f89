import { sizeLadder, type HostTensor, type Layers } from '@qoq-med/encoders'
import type { Ops, TokenLogprobs } from '@qoq-med/tensor'
import type { DecoderConfig } from '../decoder/decoder-config.ts'
import { decoder, embedTokens, vocabularyHead } from '../decoder/decoder.ts'
import { rotaryTables } from '../decoder/rotary-tables.ts'
import { splice } from '../decoder/splice.ts'
import type { Encoded } from '../prompt/encoded.ts'
import { mediaBatch, type MediaBatch, type PolicyEncoders } from '../composition/media-batch.ts'
import type { ScoredSequence } from './scored-sequence.ts'
import { scoreLayout, type ScoreLayout } from './score-layout.ts'

/** Options of `scoringBatch`. */
export interface ScoreOptions {
  /** Sampling temperature that divides the logits. Default 1. */
  readonly temperature?: number
  /** Rows of the vocabulary head at a time. Default: all. */
  readonly chunk?: number
  /** Whether completions of one prompt object share it, so that it is computed once. Default true. */
  readonly sharesPrompts?: boolean
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
  hidden<T>(ops: Ops<T>, layers: Layers<T>, inputs: (name: string) => T): T
  /** Log-probability and entropy [M] of every completion token; padding has values without meaning. */
  forward<T>(ops: Ops<T>, layers: Layers<T>, inputs: (name: string) => T): TokenLogprobs<T>
}

/**
 * Packs sequences for scoring and training, one at least. Masks keep padding, and other completions of a prompt, out of every
 * token that counts; only completion tokens reach the vocabulary head.
 */
export function scoringBatch(
  config: DecoderConfig,
  encoders: PolicyEncoders,
  sequences: readonly ScoredSequence[],
  options: ScoreOptions = {},
): ScoreBatch {
  const { temperature = 1, chunk, sharesPrompts = true } = options
  const layout = scoreLayout(config, sequences, sharesPrompts)
  const completionTokens = sequences.reduce((sum, { completion }) => sum + completion.length, 0)
  const scores = scoreStep * sizeLadder(Math.ceil(completionTokens / scoreStep))
  const media = mediaBatch(
    encoders,
    layout.prompts.map(({ prompt }) => prompt),
    'doubled',
  )
  const { tensors, starts } = pack(config, media, { sequences, layout, scores })
  const hiddenStates = <T>(ops: Ops<T>, layers: Layers<T>, inputs: (name: string) => T): T => {
    const text = embedTokens(ops, layers, inputs('tokenIds'))
    const encoded = media.forward(ops, layers, inputs)
    const { hidden } = decoder(ops, layers, config, {
      embeddings: encoded === undefined ? text : splice(ops, text, encoded, inputs('rows')),
      cos: inputs('cos'),
      sin: inputs('sin'),
      attend: layout.attend(ops, inputs),
    })
    return ops.gatherRows(hidden, inputs('scoreRows'))
  }
  return {
    key: `score ${layout.key} ${scores} t${temperature} c${chunk ?? 0} ${media.key}`,
    inputs: { ...tensors, ...layout.inputs, ...media.inputs },
    scores,
    starts,
    hidden: hiddenStates,
    forward: (ops, layers, inputs) =>
      ops.tokenLogprobs(hiddenStates(ops, layers, inputs), vocabularyHead(layers, config), inputs('targets'), {
        temperature,
        ...(chunk !== undefined && { chunk }),
      }),
  }
}

/** Completion tokens of a batch are rounded up to a multiple of this that stands on `sizeLadder`. */
const scoreStep = 64

interface Packing {
  readonly sequences: readonly ScoredSequence[]
  readonly layout: ScoreLayout
  readonly scores: number
}

function pack(
  config: DecoderConfig,
  media: MediaBatch,
  { sequences, layout, scores }: Packing,
): { tensors: Record<string, HostTensor>; starts: number[] } {
  const count = layout.tokens
  const axes = config.mropeSection ? 3 : 1
  const tokenIds = new Int32Array(count)
  const positionIds = new Int32Array(axes * count)
  const spliced = Int32Array.from({ length: count }, (_, i) => i)
  const positions: Positions = { ids: positionIds, axes, count }
  for (const { prompt, start } of layout.prompts) {
    tokenIds.set(prompt.tokenIds, start)
    writePromptPositions(positions, prompt, start)
    const from = media.firstRows(prompt)
    prompt.visionPositions.forEach((at, j) => (spliced[start + at] = count + from.vision + j))
    prompt.ecgPositions.forEach((at, j) => (spliced[start + at] = count + from.ecg + j))
  }
  const scoreRows = new Int32Array(scores)
  const targets = new Int32Array(scores)
  const starts: number[] = []
  let score = 0
  sequences.forEach(({ prompt, completion }, sequence) => {
    const { prompt: row, start } = layout.completions[sequence]!
    const promptEnd = layout.prompts[row]!.start + prompt.tokenIds.length
    tokenIds.set(completion, start)
    writeCompletionPositions(positions, prompt, { start, length: completion.length })
    starts.push(score)
    // The token before a completion token predicts it; before the first one that is the prompt's last.
    completion.forEach((token, i) => {
      scoreRows[score] = (i === 0 ? promptEnd : start + i) - 1
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
      ...(media.rows > 0 && { rows: int32(spliced) }),
    },
  }
}

/** Positions [axes, count] of the tokens of a call; padding stays at 0. */
interface Positions {
  readonly ids: Int32Array
  readonly axes: number
  readonly count: number
}

function writePromptPositions(
  { ids, axes, count }: Positions,
  { tokenIds, positionIds }: Encoded,
  start: number,
): void {
  const { length } = tokenIds
  for (let axis = 0; axis < axes; axis++) {
    ids.set(positionIds.subarray(axis * length, (axis + 1) * length), axis * count + start)
  }
}

/** All axes advance together in a completion. */
function writeCompletionPositions(
  { ids, axes, count }: Positions,
  { tokenIds, ropeDelta }: Encoded,
  { start, length }: { readonly start: number; readonly length: number },
): void {
  for (let axis = 0; axis < axes; axis++) {
    for (let i = 0; i < length; i++) ids[axis * count + start + i] = tokenIds.length + i + ropeDelta
  }
}

function int32(data: Int32Array): HostTensor {
  return { dtype: 'int32', shape: [data.length], data }
}

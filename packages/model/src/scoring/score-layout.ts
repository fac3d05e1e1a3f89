import { sizeLadder, type HostTensor } from '@qoq-med/encoders'
import type { Ops } from '@qoq-med/tensor'
import type { DecoderConfig } from '../decoder/decoder-config.ts'
import { branchAttention, rowAttention, type Attend } from '../decoder/attention.ts'
import { hidden, laterTokensMask } from '../decoder/later-tokens-mask.ts'
import type { Encoded } from '../prompt/encoded.ts'
import { divideRows, mostLanes, packRows, type PackedRow } from './packed-rows.ts'
import type { ScoredSequence } from './scored-sequence.ts'

/** Where prompts and completions lie among the tokens of a call, and how they attend. */
export interface ScoreLayout {
  /** Equal keys have equal graphs. */
  readonly key: string
  /** Tokens of the call, padding included. */
  readonly tokens: number
  readonly inputs: Readonly<Record<string, HostTensor>>
  readonly prompts: readonly { readonly prompt: Encoded; readonly start: number }[]
  /** By sequence; `prompt` counts among `prompts`. */
  readonly completions: readonly { readonly prompt: number; readonly start: number }[]
  attend<T>(ops: Ops<T>, inputs: (name: string) => T): Attend<T>
}

/** Tokens of a row, of a prompt and of a lane are rounded up to multiples of this that stand on a ladder of few sizes. */
const lengthStep = 32

/**
 * Lays sequences out: a row each, where no two share a prompt, else prompts and lanes of completions (`PackedRow`), in
 * the number per prompt and the length that take the least work.
 */
export function scoreLayout(
  config: DecoderConfig,
  sequences: readonly ScoredSequence[],
  sharesPrompts: boolean,
): ScoreLayout {
  const isShared = sharesPrompts && new Set(sequences.map(({ prompt }) => prompt)).size < sequences.length
  if (!isShared) return rowLayout(config, sequences)
  const { rows, sizes } = leastWork(config, sequences)
  return laneLayout(config, sequences, rows, sizes)
}

function rowLayout(config: DecoderConfig, sequences: readonly ScoredSequence[]): ScoreLayout {
  const batch = sequences.length
  const lengths = sequences.map(({ prompt, completion }) => prompt.tokenIds.length + completion.length)
  const length = rounded(Math.max(...lengths), 4)
  return {
    key: `${batch}x${length}`,
    tokens: batch * length,
    inputs: {},
    prompts: sequences.map(({ prompt }, row) => ({ prompt, start: row * length })),
    completions: sequences.map(({ prompt }, row) => ({ prompt: row, start: row * length + prompt.tokenIds.length })),
    attend: ops => rowAttention(ops, config, { batch, length, mask: laterTokensMask(ops, length) }),
  }
}

interface LaneSizes {
  readonly batch: number
  readonly promptLength: number
  readonly lanes: number
  readonly laneLength: number
}

/** Few lane lengths serve all completions, since short ones share a lane: powers of two, and of those the first two. */
function leastWork(
  config: DecoderConfig,
  sequences: readonly ScoredSequence[],
): { readonly rows: readonly PackedRow[]; readonly sizes: LaneSizes } {
  const promptLength = rounded(Math.max(...sequences.map(({ prompt }) => prompt.tokenIds.length)), 4)
  const shortest = rounded(Math.max(...sequences.map(({ completion }) => completion.length)), 1)
  const candidates = [shortest, 2 * shortest].flatMap(laneLength => {
    const whole = packRows(sequences, laneLength)
    return Array.from({ length: mostLanes(whole) }, (_, i) => {
      const rows = divideRows(whole, i + 1)
      const sizes = { batch: rows.length, promptLength, lanes: sizeLadder(mostLanes(rows), 2), laneLength }
      return { rows, sizes, work: workOf(config, sizes) }
    })
  })
  return candidates.reduce((best, other) => (other.work < best.work ? other : best))
}

function laneLayout(
  config: DecoderConfig,
  sequences: readonly ScoredSequence[],
  rows: readonly PackedRow[],
  { batch, promptLength, lanes, laneLength }: LaneSizes,
): ScoreLayout {
  const promptTokens = batch * promptLength
  const promptMask = new Float32Array(promptTokens).fill(hidden)
  const laneMask = new Float32Array(batch * lanes * laneLength * laneLength).fill(hidden)
  const completions = sequences.map(() => ({ prompt: 0, start: 0 }))
  rows.forEach(({ prompt, lanes: own }, row) => {
    promptMask.fill(0, row * promptLength, row * promptLength + prompt.tokenIds.length)
    own.forEach((members, at) => {
      const lane = row * lanes + at
      let start = 0
      for (const sequence of members) {
        const end = start + sequences[sequence]!.completion.length
        completions[sequence] = { prompt: row, start: promptTokens + lane * laneLength + start }
        for (let query = start; query < end; query++) {
          const from = (lane * laneLength + query) * laneLength
          laneMask.fill(0, from + start, from + query + 1)
        }
        start = end
      }
    })
  })
  return {
    key: `${batch}x${promptLength} ${lanes}x${laneLength}`,
    tokens: promptTokens + batch * lanes * laneLength,
    inputs: {
      promptMask: { dtype: 'float32', shape: [batch, 1, 1, promptLength], data: promptMask },
      laneMask: { dtype: 'float32', shape: [batch, 1, lanes, 1, laneLength, laneLength], data: laneMask },
    },
    prompts: rows.map(({ prompt }, row) => ({ prompt, start: row * promptLength })),
    completions,
    attend: (ops, inputs) =>
      branchAttention(ops, config, {
        batch,
        promptLength,
        branches: lanes,
        branchLength: laneLength,
        promptMask: inputs('promptMask'),
        branchMask: inputs('laneMask'),
      }),
  }
}

function rounded(length: number, steps: 1 | 2 | 4): number {
  return lengthStep * sizeLadder(Math.max(1, Math.ceil(length / lengthStep)), steps)
}

/** Multiplications of a layer. */
function workOf(config: DecoderConfig, { batch, promptLength, lanes, laneLength }: LaneSizes): number {
  const prompts = layerWork(config, batch * promptLength, promptLength)
  return prompts + layerWork(config, batch * lanes * laneLength, promptLength + laneLength)
}

/**
 * Multiplications of a layer over tokens that attend to `keys` tokens each, those of attention one and a half times: its
 * masks and softmax take about half as long as its products (profiles in docs/log.md).
 */
function layerWork(config: DecoderConfig, tokens: number, keys: number): number {
  const { hiddenSize, intermediateSize, numHeads, numKvHeads, headDim } = config
  const linear = hiddenSize * (2 * (numHeads + numKvHeads) * headDim + 3 * intermediateSize)
  const attention = 2 * keys * numHeads * headDim
  return tokens * (linear + 1.5 * attention)
}

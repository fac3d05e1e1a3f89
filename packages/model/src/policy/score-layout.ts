import { sizeLadder, type HostTensor } from '@qoq-med/encoders'
import type { Ops } from '@qoq-med/tensor'
import type { DecoderConfig } from '../checkpoint/decoder-config.ts'
import { branchAttention, rowAttention, type Attend } from '../decoder/attention.ts'
import { hidden, laterTokensMask } from '../decoder/later-tokens-mask.ts'
import type { PackedRow } from './packed-rows.ts'
import type { ScoredSequence } from './score-batch.ts'

/** Where the tokens of packed rows lie among those of a call, and how they attend. */
export interface ScoreLayout {
  /** Equal keys have equal graphs. */
  readonly key: string
  /** Tokens of the call, padding included. */
  readonly tokens: number
  /** Multiplications of a layer, for comparison. */
  readonly work: number
  readonly inputs: Readonly<Record<string, HostTensor>>
  promptStart(row: number): number
  completionStart(row: number, member: number): number
  attend<T>(ops: Ops<T>, inputs: (name: string) => T): Attend<T>
}

/** Tokens of a prompt and its completion are rounded up to a multiple that stands on `sizeLadder`. */
const rowStep = 32
/** The same of prompts, and of completions that lie apart from them. */
const branchStep = 8

/** Lays rows out: where none has two completions, prompt and completion follow each other. */
export function scoreLayout(
  config: DecoderConfig,
  sequences: readonly ScoredSequence[],
  rows: readonly PackedRow[],
): ScoreLayout {
  const isBranched = rows.some(({ members }) => members.length > 1)
  return isBranched ? branchLayout(config, sequences, rows) : rowLayout(config, sequences, rows)
}

function rowLayout(
  config: DecoderConfig,
  sequences: readonly ScoredSequence[],
  rows: readonly PackedRow[],
): ScoreLayout {
  const batch = rows.length
  const length = rounded(
    rows.map(({ prompt, members }) => prompt.tokenIds.length + sequences[members[0]!]!.completion.length), // each has one
    rowStep,
  )
  return {
    key: `${batch}x${length}`,
    tokens: batch * length,
    work: layerWork(config, batch * length, length),
    inputs: {},
    promptStart: row => row * length,
    completionStart: row => row * length + rows[row]!.prompt.tokenIds.length,
    attend: ops => rowAttention(ops, config, { batch, length, mask: laterTokensMask(ops, length) }),
  }
}

function branchLayout(
  config: DecoderConfig,
  sequences: readonly ScoredSequence[],
  rows: readonly PackedRow[],
): ScoreLayout {
  const batch = rows.length
  const branches = Math.max(...rows.map(({ members }) => members.length))
  const promptLength = rounded(
    rows.map(({ prompt }) => prompt.tokenIds.length),
    branchStep,
  )
  const branchLength = rounded(
    sequences.map(({ completion }) => completion.length),
    branchStep,
  )
  const [promptTokens, branchTokens] = [batch * promptLength, batch * branches * branchLength]
  const promptMask = new Float32Array(promptTokens).fill(hidden)
  rows.forEach(({ prompt }, row) => promptMask.fill(0, row * promptLength, row * promptLength + prompt.tokenIds.length))
  return {
    key: `${batch}x${promptLength} ${branches}x${branchLength}`,
    tokens: promptTokens + branchTokens,
    work: layerWork(config, promptTokens, promptLength) + layerWork(config, branchTokens, promptLength + branchLength),
    inputs: { promptMask: { dtype: 'float32', shape: [batch, 1, 1, promptLength], data: promptMask } },
    promptStart: row => row * promptLength,
    completionStart: (row, member) => promptTokens + (row * branches + member) * branchLength,
    attend: (ops, inputs) =>
      branchAttention(ops, config, {
        batch,
        promptLength,
        branches,
        branchLength,
        promptMask: inputs('promptMask'),
      }),
  }
}

function rounded(lengths: readonly number[], step: number): number {
  return step * sizeLadder(Math.max(1, Math.ceil(Math.max(...lengths) / step)), 4)
}

/**
 * Multiplications of a layer over tokens that attend to `keys` tokens each, those of attention one and a half times: its
 * masks and softmax take about half as long as its products (profiles of TINY and SmolLM2 shapes, docs/log.md).
 */
function layerWork(config: DecoderConfig, tokens: number, keys: number): number {
  const { hiddenSize, intermediateSize, numHeads, numKvHeads, headDim } = config
  const linear = hiddenSize * (2 * (numHeads + numKvHeads) * headDim + 3 * intermediateSize)
  const attention = 2 * keys * numHeads * headDim
  return tokens * (linear + 1.5 * attention)
}

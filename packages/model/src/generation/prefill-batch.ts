import { weightLayers, type HostTensor } from '@qoq-med/encoders'
import { graphOps } from '@qoq-med/tensor'
import type { DecoderConfig } from '../decoder/decoder-config.ts'
import { rowAttention } from '../decoder/attention.ts'
import { decoder, embedTokens, logits } from '../decoder/decoder.ts'
import { laterTokensMask } from '../decoder/later-tokens-mask.ts'
import { rotaryTables } from '../decoder/rotary-tables.ts'
import { splice } from '../decoder/splice.ts'
import type { GraphBuilder, Keyed } from '../programs/program-cache.ts'
import type { Encoded } from '../prompt/encoded.ts'
import { batchBucket, lengthBucket } from './size-buckets.ts'

/** Encoder tokens of a batch's media, and where those of a prompt begin. */
export interface EncodedMedia {
  /** [rows, D] */
  readonly tokens: Float32Array
  readonly rows: number
  firstRows(prompt: Encoded): { readonly vision: number; readonly ecg: number }
}

/** For which tokens logits are wanted: the last one of each prompt, or all (then without keys and values). */
export type LogitRows = 'last' | 'all'

/** Prompts packed for one prefill: B rows of T tokens, both padded to a bucket. */
export interface PrefillBatch extends Keyed {
  readonly batch: number
  readonly length: number
  readonly encoderRows: number
  readonly logitRows: LogitRows
}

/** Packs prompts, padded on the right; missing prompts of the bucket are rows of zeros. */
export function prefillBatch(
  config: DecoderConfig,
  prompts: readonly Encoded[],
  media: EncodedMedia | undefined,
  logitRows: LogitRows = 'last',
): PrefillBatch {
  const batch = batchBucket(prompts.length)
  const length = lengthBucket(Math.max(...prompts.map(prompt => prompt.tokenIds.length)))
  const encoderRows = media === undefined ? 0 : lengthBucket(media.rows)
  const half = config.headDim / 2
  const rows = batch * length
  const tokenIds = new Int32Array(rows)
  // A product with one row takes another path in the runtime and rounds otherwise: there are always two.
  const lastRows = new Int32Array(Math.max(2, batch))
  const [cos, sin] = [new Float32Array(rows * half), new Float32Array(rows * half)]
  for (const [index, prompt] of prompts.entries()) {
    const first = index * length
    tokenIds.set(prompt.tokenIds, first)
    lastRows[index] = first + prompt.tokenIds.length - 1
    const tables = rotaryTables(config, promptPositions(config, prompt))
    cos.set(tables.cos, first * half)
    sin.set(tables.sin, first * half)
  }
  return {
    key: `prefill ${logitRows} ${batch}x${length} ${encoderRows}`,
    batch,
    length,
    encoderRows,
    logitRows,
    inputs: {
      tokenIds: int32(tokenIds),
      ...(logitRows === 'last' && { lastRows: int32(lastRows) }),
      cos: { dtype: 'float32', shape: [rows, half], data: cos },
      sin: { dtype: 'float32', shape: [rows, half], data: sin },
      ...(media && mediaInputs(config, prompts, media, { length, rows, encoderRows })),
    },
  }
}

/** Positions as the config's rotary tables take them: three axes with M-RoPE, else one. */
export function promptPositions(config: DecoderConfig, { positionIds, tokenIds }: Encoded): Int32Array {
  return config.mropeSection ? positionIds : positionIds.subarray(0, tokenIds.length)
}

/**
 * Records logits [max(2, B), V] of the prompts' last tokens, and keys.i and values.i [B, K, T, headDim] of each layer; or logits
 * [B * T, V] of all tokens alone.
 */
export function prefillBuilder(config: DecoderConfig): GraphBuilder<PrefillBatch> {
  return (graph, { batch, length, encoderRows, logitRows }, { weights, inputs }) => {
    const ops = graphOps(graph)
    const layers = weightLayers(ops, weights)
    const text = embedTokens(ops, layers, inputs('tokenIds'))
    const output = decoder(ops, layers, config, {
      embeddings: encoderRows === 0 ? text : splice(ops, text, inputs('encoderTokens'), inputs('spliceRows')),
      cos: inputs('cos'),
      sin: inputs('sin'),
      attend: rowAttention(ops, config, { batch, length, mask: laterTokensMask(ops, length) }),
    })
    const wanted = logitRows === 'all' ? output.hidden : ops.gatherRows(output.hidden, inputs('lastRows'))
    graph.output('logits', logits(layers, config, wanted))
    if (logitRows === 'all') return
    for (const [layer, keys] of output.keys.entries()) graph.output(`keys.${layer}`, keys)
    for (const [layer, values] of output.values.entries()) graph.output(`values.${layer}`, values)
  }
}

function mediaInputs(
  config: DecoderConfig,
  prompts: readonly Encoded[],
  media: EncodedMedia,
  { length, rows, encoderRows }: { length: number; rows: number; encoderRows: number },
): Record<string, HostTensor> {
  const encoderTokens = new Float32Array(encoderRows * config.hiddenSize)
  encoderTokens.set(media.tokens.subarray(0, media.rows * config.hiddenSize))
  const spliceRows = Int32Array.from({ length: rows }, (_, i) => i)
  for (const [index, prompt] of prompts.entries()) {
    const from = media.firstRows(prompt)
    for (const [j, at] of prompt.visionPositions.entries()) spliceRows[index * length + at] = rows + from.vision + j
    for (const [j, at] of prompt.ecgPositions.entries()) spliceRows[index * length + at] = rows + from.ecg + j
  }
  return {
    encoderTokens: { dtype: 'float32', shape: [encoderRows, config.hiddenSize], data: encoderTokens },
    spliceRows: int32(spliceRows),
  }
}

function int32(data: Int32Array): HostTensor {
  return { dtype: 'int32', shape: [data.length], data }
}

import { scopeLayers, type Layers } from '@qoq-med/encoders'
import type { Ops } from '@qoq-med/tensor'
import type { DecoderConfig } from './decoder-config.ts'
import type { Attend } from './attention.ts'

/** What the decoder reads: embeddings of N tokens and how they attend. N may be open. */
export interface DecoderInput<T> {
  /** [N, hiddenSize] */
  readonly embeddings: T
  /** Rotations of the tokens, each [N, headDim / 2]. */
  readonly cos: T
  readonly sin: T
  readonly attend: Attend<T>
  /** Takes the runtime's own sigmoid in SwiGLU: good to about 1e-6, for generating alone. Default false. */
  readonly approximate?: boolean
}

/** Final hidden states [N, hiddenSize] and each layer's keys and values, as `attend` answers them. */
export interface DecoderOutput<T> {
  readonly hidden: T
  readonly keys: readonly T[]
  readonly values: readonly T[]
}

/**
 * The decoder of Qwen2.5 and Llama: pre-norm layers of grouped-query attention with rotary positions and SwiGLU, and a last
 * norm. Training, scoring, prefill and decoding are this function over different layers and ways to attend.
 */
export function decoder<T>(
  ops: Ops<T>,
  layers: Layers<T>,
  config: DecoderConfig,
  input: DecoderInput<T>,
): DecoderOutput<T> {
  const { hidden, ...rest } = decoderLayers(ops, layers, config, input, { first: 0, end: config.numLayers })
  return { hidden: lastNorm(ops, layers, config, hidden), ...rest }
}

/** Layers of the decoder, from `first` on and before `end`. */
export interface LayerRange {
  readonly first: number
  readonly end: number
}

/** Some of the decoder's layers, one after the other; `embeddings` are what the layer before them answered. Keys and values are those of these layers. */
export function decoderLayers<T>(
  ops: Ops<T>,
  layers: Layers<T>,
  config: DecoderConfig,
  input: DecoderInput<T>,
  { first, end }: LayerRange,
): DecoderOutput<T> {
  const keys: T[] = []
  const values: T[] = []
  let x = input.embeddings
  for (let at = first; at < end; at++) {
    const layer = scopeLayers(layers, `model.layers.${at}.`)
    const norm = (name: string): T => ops.rmsNorm(x, layer.weight(`${name}.weight`), config.rmsNormEpsilon)
    const turned = rotatedHeads(ops, scopeLayers(layer, 'self_attn.'), config, norm('input_layernorm'), input)
    const attended = input.attend(turned, at)
    keys.push(attended.keys)
    values.push(attended.values)
    x = ops.add(x, layer.linear(attended.attended, 'self_attn.o_proj'))
    const normed = norm('post_attention_layernorm')
    const [gate, up] = [layer.linear(normed, 'mlp.gate_proj'), layer.linear(normed, 'mlp.up_proj')]
    const { approximate = false } = input
    x = ops.add(x, layer.linear(ops.swiglu(gate, up, { approximate }), 'mlp.down_proj'))
  }
  return { hidden: x, keys, values }
}

/** The norm before the vocabulary head. */
export function lastNorm<T>(ops: Ops<T>, layers: Layers<T>, { rmsNormEpsilon }: DecoderConfig, x: T): T {
  return ops.rmsNorm(x, layers.weight('model.norm.weight'), rmsNormEpsilon)
}

/** Queries and keys, turned to their positions, and values of `x` [N, hiddenSize]; `layers` below `self_attn.`. */
function rotatedHeads<T>(
  ops: Ops<T>,
  layers: Layers<T>,
  { numHeads, numKvHeads, headDim, attentionBias: hasBias }: DecoderConfig,
  x: T,
  { cos, sin }: Pick<DecoderInput<T>, 'cos' | 'sin'>,
): { readonly queries: T; readonly keys: T; readonly values: T } {
  const tokens = ops.shape(x)[0]!
  // All tokens as one sequence: a row of the tables is a token's own rotation.
  const rotated = (y: T, heads: number): T =>
    ops.reshape(ops.rotary(ops.reshape(y, [1, tokens, heads * headDim]), cos, sin), [tokens, heads * headDim])
  const values = (): T => layers.linear(x, 'v_proj', { hasBias })
  if (!layers.fused) {
    const queries = rotated(layers.linear(x, 'q_proj', { hasBias }), numHeads)
    return { queries, keys: rotated(layers.linear(x, 'k_proj', { hasBias }), numKvHeads), values: values() }
  }
  const turned = rotated(layers.fused(x, ['q_proj', 'k_proj'], { hasBias }), numHeads + numKvHeads)
  const part = (from: number, to: number): T => ops.slice(turned, 1, from * headDim, to * headDim)
  return { queries: part(0, numHeads), keys: part(numHeads, numHeads + numKvHeads), values: values() }
}

/** Embeddings [N, hiddenSize] of token ids (int32 [N]). */
export function embedTokens<T>(ops: Ops<T>, layers: Layers<T>, tokenIds: T): T {
  const table = `${embeddingName}.weight`
  return layers.rows?.(table, tokenIds) ?? ops.gatherRows(layers.weight(table), tokenIds)
}

/** The layer of the vocabulary head [vocabSize, hiddenSize]: its own, or the embedding where the two are tied. */
export function headName({ tieWordEmbeddings }: DecoderConfig): string {
  return tieWordEmbeddings ? embeddingName : 'lm_head'
}

/** The layer of the token embedding. */
export const embeddingName = 'model.embed_tokens'

/** The vocabulary head's weight. */
export function vocabularyHead<T>(layers: Layers<T>, config: DecoderConfig): T {
  return layers.weight(`${headName(config)}.weight`)
}

/** Logits [N, vocabSize] of hidden states [N, hiddenSize]. */
export function logits<T>(layers: Layers<T>, config: DecoderConfig, hidden: T): T {
  return layers.linear(hidden, headName(config))
}

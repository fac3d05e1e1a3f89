import type { Ops } from '@qoq-med/tensor'
import type { DecoderConfig } from '../checkpoint/decoder-config.ts'
import { groupedQueryAttention, type Attend, type Rotations } from './attention.ts'
import type { Weights } from './weights.ts'

/** What the decoder reads: embeddings of N tokens and how they attend. */
export interface DecoderInput<T> extends Rotations<T> {
  /** [N, hiddenSize] */
  readonly embeddings: T
  readonly attend: Attend<T>
}

/** Final hidden states [N, hiddenSize] and each layer's keys and values, as `attend` answers them. */
export interface DecoderOutput<T> {
  readonly hidden: T
  readonly keys: readonly T[]
  readonly values: readonly T[]
}

/** The Qwen2.5 decoder: pre-norm layers of grouped-query attention and SwiGLU, and a last norm. */
export function decoder<T>(
  ops: Ops<T>,
  weights: Weights<T>,
  config: DecoderConfig,
  input: DecoderInput<T>,
): DecoderOutput<T> {
  const keys: T[] = []
  const values: T[] = []
  let x = input.embeddings
  for (let layer = 0; layer < config.numLayers; layer++) {
    const below: Weights<T> = name => weights(`model.layers.${layer}.${name}`)
    const normed = ops.rmsNorm(x, below('input_layernorm.weight'), config.rmsNormEpsilon)
    const attended = groupedQueryAttention(ops, name => below(`self_attn.${name}`), config, normed, input)
    keys.push(attended.keys)
    values.push(attended.values)
    x = ops.add(x, attended.output)
    x = ops.add(
      x,
      swigluMlp(ops, below, ops.rmsNorm(x, below('post_attention_layernorm.weight'), config.rmsNormEpsilon)),
    )
  }
  return { hidden: ops.rmsNorm(x, weights('model.norm.weight'), config.rmsNormEpsilon), keys, values }
}

function swigluMlp<T>(ops: Ops<T>, weights: Weights<T>, x: T): T {
  const gate = ops.linear(x, weights('mlp.gate_proj.weight'))
  const up = ops.linear(x, weights('mlp.up_proj.weight'))
  return ops.linear(ops.swiglu(gate, up), weights('mlp.down_proj.weight'))
}

/** Embeddings [N, hiddenSize] of token ids (int32 [N]). */
export function embedTokens<T>(ops: Ops<T>, weights: Weights<T>, tokenIds: T): T {
  return ops.gatherRows(weights(`${embeddingName}.weight`), tokenIds)
}

/** The layer of the vocabulary head [vocabSize, hiddenSize]: its own, or the embedding where the two are tied. */
export function headName({ tieWordEmbeddings }: DecoderConfig): string {
  return tieWordEmbeddings ? embeddingName : 'lm_head'
}

/** The layer of the token embedding. */
export const embeddingName = 'model.embed_tokens'

/** The vocabulary head's weight. */
export function vocabularyHead<T>(weights: Weights<T>, config: DecoderConfig): T {
  return weights(`${headName(config)}.weight`)
}

/** Logits [N, vocabSize] of hidden states [N, hiddenSize]. */
export function logits<T>(ops: Ops<T>, weights: Weights<T>, config: DecoderConfig, hidden: T): T {
  return ops.linear(hidden, vocabularyHead(weights, config))
}

import type { Ops } from '@qoq-med/tensor'
import type { DecoderConfig } from '../checkpoint/decoder-config.ts'
import type { Weights } from './weights.ts'

/** Rotations of the tokens of a call, each [B * T, headDim / 2]. */
export interface Rotations<T> {
  readonly cos: T
  readonly sin: T
}

/** The batch of one call: B sequences of T tokens. */
export interface CallSize {
  readonly batch: number
  readonly length: number
}

/** Output [B * T, hiddenSize] and the rotated keys and the values [B, numKvHeads, T, headDim] that a cache keeps. */
export interface AttentionResult<T> {
  readonly output: T
  readonly keys: T
  readonly values: T
}

/** Grouped-query attention of Qwen2 (biases on q, k, v; rotary positions). `x` [B * T, hiddenSize]; `weights` below `self_attn.`; `mask` broadcasts to [B, numKvHeads, groups, T, T]. */
export function groupedQueryAttention<T>(
  ops: Ops<T>,
  weights: Weights<T>,
  config: DecoderConfig,
  x: T,
  { cos, sin, batch, length, mask }: Rotations<T> & CallSize & { readonly mask: T },
): AttentionResult<T> {
  const { numHeads, numKvHeads, headDim } = config
  const groups = numHeads / numKvHeads
  const project = (name: string): T =>
    ops.linear(x, weights(`${name}.weight`), config.attentionBias ? weights(`${name}.bias`) : undefined)
  const rotated = (y: T, heads: number): T => ops.rotary(ops.reshape(y, [batch, length, heads * headDim]), cos, sin)
  const perHead = (y: T): T => ops.transpose(ops.reshape(y, [batch, length, numKvHeads, headDim]), [0, 2, 1, 3])

  const queries = ops.transpose(
    ops.reshape(rotated(project('q_proj'), numHeads), [batch, length, numKvHeads, groups, headDim]),
    [0, 2, 3, 1, 4],
  )
  const keys = perHead(rotated(project('k_proj'), numKvHeads))
  const values = perHead(project('v_proj'))
  const attended = ops.attention(queries, keys, values, { mask, scale: 1 / Math.sqrt(headDim) })
  const joined = ops.reshape(ops.transpose(attended, [0, 3, 1, 2, 4]), [batch * length, numHeads * headDim])
  return { output: ops.linear(joined, weights('o_proj.weight')), keys, values }
}

/** [T, T] additive mask that hides later tokens. With padding on the right nothing else needs hiding. */
export function causalMask(length: number): Float32Array {
  const mask = new Float32Array(length * length)
  for (let query = 0; query < length; query++) mask.fill(hidden, query * length + query + 1, (query + 1) * length)
  return mask
}

/** Added to scores that must not count: large enough to vanish in the softmax, small enough to stay finite when summed. */
export const hidden = -1e30

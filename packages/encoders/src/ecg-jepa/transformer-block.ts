import type { Ops } from '@qoq-med/tensor'
import { scopeWeights, type Weights } from '../encoder.ts'

/** Queries, keys and values, each [N, heads, tokens, headDim]; answers the attended values in the same shape. */
export type Attend<T> = (q: T, k: T, v: T) => T

const layerNormEpsilon = 1e-5

/** LayerNorm over the last axis, epsilon 1e-5. */
export function layerNorm<T>(ops: Ops<T>, weights: Weights<T>, name: string, x: T): T {
  return ops.layerNorm(x, weights(`${name}.weight`), weights(`${name}.bias`), layerNormEpsilon)
}

/**
 * The blocks of ECG-JEPA's encoder and predictor: pre-normalised attention without bias in q, k, v, and a GELU MLP, each
 * with its residual. Positions are added before every block, not once as in a plain vision transformer.
 *
 * @param x [N, tokens, D]
 * @param positions [tokens, D]
 * @returns [N, tokens, D]
 */
export function transformerBlocks<T>(
  ops: Ops<T>,
  weights: Weights<T>,
  { depth, numHeads }: { readonly depth: number; readonly numHeads: number },
  x: T,
  positions: T,
  attend: Attend<T>,
): T {
  for (let block = 0; block < depth; block++) {
    const own = scopeWeights(weights, `blocks.${block}.`)
    x = ops.add(x, positions)
    x = ops.add(x, attention(ops, own, numHeads, layerNorm(ops, own, 'norm1', x), attend))
    const inner = ops.linear(layerNorm(ops, own, 'norm2', x), own('mlp.fc1.weight'), own('mlp.fc1.bias'))
    x = ops.add(x, ops.linear(ops.gelu(inner), own('mlp.fc2.weight'), own('mlp.fc2.bias')))
  }
  return x
}

function attention<T>(ops: Ops<T>, weights: Weights<T>, numHeads: number, x: T, attend: Attend<T>): T {
  const [batch, tokens, width] = ops.shape(x) as [number, number, number] // [N, tokens, D]
  const weight = weights('attn.qkv.weight')
  // Cutting the weight, not the product: the gradient of a cut is padding, and weights are smaller than activations.
  const part = (at: number): T => {
    const projected = ops.linear(x, ops.slice(weight, 0, at * width, (at + 1) * width))
    return ops.transpose(ops.reshape(projected, [batch, tokens, numHeads, width / numHeads]), [0, 2, 1, 3])
  }
  const joined = ops.transpose(attend(part(0), part(1), part(2)), [0, 2, 1, 3])
  const merged = ops.reshape(joined, [batch, tokens, width])
  return ops.linear(merged, weights('attn.proj.weight'), weights('attn.proj.bias'))
}

/** Every token attends to every token. */
export function fullAttention<T>(ops: Ops<T>): Attend<T> {
  return (q, k, v) => {
    const [batch, heads, tokens, headDim] = ops.shape(q) as [number, number, number, number] // Attend's shape
    const queries = ops.reshape(q, [batch, heads, 1, tokens, headDim])
    return ops.reshape(ops.attention(queries, k, v, { scale: headDim ** -0.5 }), [batch, heads, tokens, headDim])
  }
}

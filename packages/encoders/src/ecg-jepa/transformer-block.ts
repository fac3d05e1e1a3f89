import type { Ops } from '@qoq-med/tensor'
import { scopeLayers, type Layers } from '../layers.ts'

/** Queries, keys and values, each [N, heads, tokens, headDim]; answers the attended values in the same shape. */
export type Attend<T> = (q: T, k: T, v: T) => T

const layerNormEpsilon = 1e-5

/** LayerNorm over the last axis, epsilon 1e-5. */
export function layerNorm<T>(ops: Ops<T>, layers: Layers<T>, name: string, x: T): T {
  return ops.layerNorm(x, layers.weight(`${name}.weight`), layers.weight(`${name}.bias`), layerNormEpsilon)
}

/**
 * The blocks of ECG-JEPA's encoder and predictor: pre-normalised attention, in the official encoder without bias in q, k, v, and a GELU MLP, each
 * with its residual. Positions are added before every block, not once as in a plain vision transformer.
 *
 * @param x [N, tokens, D]
 * @param positions [tokens, D]
 * @returns [N, tokens, D]
 */
export function transformerBlocks<T>(
  ops: Ops<T>,
  layers: Layers<T>,
  { depth, ...config }: BlockConfig & { readonly depth: number },
  x: T,
  positions: T,
  attend: Attend<T>,
): T {
  for (let block = 0; block < depth; block++) {
    const own = scopeLayers(layers, `blocks.${block}.`)
    x = ops.add(x, positions)
    x = ops.add(x, attention(ops, own, config, layerNorm(ops, own, 'norm1', x), attend))
    const inner = own.linear(layerNorm(ops, own, 'norm2', x), 'mlp.fc1', { hasBias: true })
    x = ops.add(x, own.linear(ops.gelu(inner), 'mlp.fc2', { hasBias: true }))
  }
  return x
}

interface BlockConfig {
  readonly numHeads: number
  /** Default false. */
  readonly qkvBias?: boolean
}

function attention<T>(
  ops: Ops<T>,
  layers: Layers<T>,
  { numHeads, qkvBias: hasBias = false }: BlockConfig,
  x: T,
  attend: Attend<T>,
): T {
  const [batch, tokens, width] = ops.shape(x) as [number, number, number] // [N, tokens, D]
  const part = (at: number): T => {
    const projected = layers.linear(x, 'attn.qkv', { hasBias, rows: [at * width, (at + 1) * width] })
    return ops.transpose(ops.reshape(projected, [batch, tokens, numHeads, width / numHeads]), [0, 2, 1, 3])
  }
  const joined = ops.transpose(attend(part(0), part(1), part(2)), [0, 2, 1, 3])
  const merged = ops.reshape(joined, [batch, tokens, width])
  return layers.linear(merged, 'attn.proj', { hasBias: true })
}

/** Every token attends to every token. */
export function fullAttention<T>(ops: Ops<T>): Attend<T> {
  return (q, k, v) => {
    const [batch, heads, tokens, headDim] = ops.shape(q) as [number, number, number, number] // Attend's shape
    const queries = ops.reshape(q, [batch, heads, 1, tokens, headDim])
    return ops.reshape(ops.attention(queries, k, v, { scale: headDim ** -0.5 }), [batch, heads, tokens, headDim])
  }
}

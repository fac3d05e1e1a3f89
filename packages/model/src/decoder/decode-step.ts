import type { Ops } from '@qoq-med/tensor'
import type { DecoderConfig } from '../checkpoint/decoder-config.ts'

/** The weights of a decode step, whatever their type and wherever they lie. */
export interface StepWeights<T> {
  /** A weight that is not a matrix: of a norm. */
  norm(name: string): T
  /**
   * Linear layers on the same `x` [B, I], with their biases where the model has them.
   *
   * @param groups names of the layers without `.weight`; those of a group are joined along the last axis
   * @returns [B, O] per group
   */
  project(x: T, groups: readonly (readonly string[])[]): readonly T[]
}

/** What a decode step reads. B, the number of sequences, and P, the cached tokens, may be open. */
export interface StepInput<T> {
  /** [B, hiddenSize] */
  readonly embeddings: T
  /** Rotations of the new tokens, [B, headDim / 2]. */
  readonly cos: T
  readonly sin: T
  /** [B, 1, 1, P] hides empty places of the cache. */
  readonly mask: T
  /** Cached keys and values of a layer, [B, numKvHeads, P, headDim]. */
  readonly keys: (layer: number) => T
  readonly values: (layer: number) => T
}

/** Hidden states [B, hiddenSize] and new keys and values [1, B, numKvHeads * headDim], of layer 0, of layer 1, … */
export interface StepOutput<T> {
  readonly hidden: T
  readonly present: readonly T[]
}

/**
 * The decoder for one new token per sequence: what `decoder` computes, with fewer and larger products, since at few
 * sequences the number of operations is what costs.
 */
export function decodeStep<T>(
  ops: Ops<T>,
  weights: StepWeights<T>,
  config: DecoderConfig,
  input: StepInput<T>,
): StepOutput<T> {
  const present: T[] = []
  let x = input.embeddings
  for (let layer = 0; layer < config.numLayers; layer++) {
    const prefix = `model.layers.${layer}`
    const norm = (name: string): T => ops.rmsNorm(x, weights.norm(`${prefix}.${name}.weight`), config.rmsNormEpsilon)
    const attention = attendNewest(ops, weights, config, norm('input_layernorm'), { ...input, layer })
    present.push(attention.keys, attention.values)
    x = ops.add(x, attention.output)
    const names = [[`${prefix}.mlp.gate_proj`], [`${prefix}.mlp.up_proj`]]
    const [gate, up] = weights.project(norm('post_attention_layernorm'), names) as [T, T] // one per group
    x = ops.add(x, weights.project(ops.swiglu(gate, up, { approximate: true }), [[`${prefix}.mlp.down_proj`]])[0]!)
  }
  return { hidden: ops.rmsNorm(x, weights.norm('model.norm.weight'), config.rmsNormEpsilon), present }
}

interface NewestAttention<T> {
  readonly output: T
  /** [1, B, numKvHeads * headDim] */
  readonly keys: T
  readonly values: T
}

function attendNewest<T>(
  ops: Ops<T>,
  weights: StepWeights<T>,
  { numHeads, numKvHeads, headDim }: DecoderConfig,
  x: T,
  { layer, cos, sin, mask, keys, values }: StepInput<T> & { readonly layer: number },
): NewestAttention<T> {
  const batch = ops.shape(x)[0]!
  const name = (short: string): string => `model.layers.${layer}.self_attn.${short}`
  const [queryWidth, width] = [numHeads * headDim, numKvHeads * headDim]
  const groups = [[name('q_proj'), name('k_proj')], [name('v_proj')]]
  const [turning, newValues] = weights.project(x, groups) as [T, T] // one per group
  // Tokens of different sequences as one sequence: a row of the tables is a token's own rotation.
  const turned = ops.rotary(ops.reshape(turning, [1, batch, queryWidth + width]), cos, sin)
  const newKeys = ops.slice(turned, 2, queryWidth, queryWidth + width)
  const one = [batch, numKvHeads, 1, headDim]
  const attended = ops.pastAttention(
    ops.reshape(ops.slice(turned, 2, 0, queryWidth), [batch, numKvHeads, numHeads / numKvHeads, headDim]),
    {
      pastKeys: keys(layer),
      pastValues: values(layer),
      ownKeys: ops.reshape(newKeys, one),
      ownValues: ops.reshape(newValues, one),
      mask,
      scale: 1 / Math.sqrt(headDim),
    },
  )
  const joined = ops.reshape(attended, [batch, queryWidth])
  return {
    output: weights.project(joined, [[name('o_proj')]])[0]!,
    keys: newKeys,
    values: ops.reshape(newValues, [1, batch, width]),
  }
}

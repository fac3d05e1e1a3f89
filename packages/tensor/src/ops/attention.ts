import type { Dense } from '../dense.ts'
import { tensorErrors } from '../errors.ts'
import { sameShape, sizeOf, type Tensor, type TensorType } from '../graph/tensor.ts'
import { int64Vector, result, type OnnxScope } from './onnx-scope.ts'
import { reshaped, scaledProduct } from './attention-nodes.ts'
import { broadcastIndices, broadcastShape } from './broadcast.ts'
import { defineOp, type OpDefinition, type TableOps } from './definition.ts'
import type { OpAttributes } from './op-attributes.ts'
import { matmulOps } from './matmul.ts'
import { denseSoftmax } from './softmax.ts'

/** Sizes of q [B, K, G, T, D] and k, v [B, K, S, D]. */
interface AttentionShape {
  readonly batch: number
  readonly kvHeads: number
  readonly groups: number
  readonly queries: number
  readonly keys: number
  readonly headDim: number
}

function shapeOf(q: Pick<TensorType, 'shape'>, k: Pick<TensorType, 'shape'>): AttentionShape {
  const [batch, kvHeads, groups, queries, headDim] = q.shape as readonly [number, number, number, number, number] // rank 5 by `infer`
  return { batch, kvHeads, groups, queries, keys: k.shape[2]!, headDim }
}

/** q with its groups and queries as one axis: [B, K, G * T, D]. */
const merged = (s: AttentionShape): number[] => [s.batch, s.kvHeads, s.groups * s.queries, s.headDim]
const scores = (s: AttentionShape): number[] => [s.batch, s.kvHeads, s.groups, s.queries, s.keys]
const mergedScores = (s: AttentionShape): number[] => [s.batch, s.kvHeads, s.groups * s.queries, s.keys]

/**
 * Attention with grouped queries. Inputs q, k, v and optionally a mask; results the values [B, K, G, T, D] and the
 * probabilities [B, K, G * T, S], which the gradient reads.
 */
export const attentionOps = {
  Attention: defineOp<OpAttributes['Attention']>({
    infer: ([q, k, v, mask]) => {
      const s = shapeOf(q!, k!)
      const fits =
        q!.shape.length === 5 &&
        k!.shape.length === 4 &&
        sameShape(k!.shape, v!.shape) &&
        sameShape(k!.shape, [s.batch, s.kvHeads, s.keys, s.headDim]) &&
        (!mask || sameShape(broadcastShape('attention', mask.shape, scores(s)), scores(s)))
      if (!fits) {
        const shapes = [q!, k!, v!, ...(mask ? [mask] : [])].map(x => `[${x.shape.join(', ')}]`).join(', ')
        throw tensorErrors.SHAPE({ op: 'attention', reason: `q, k, v, mask have the shapes ${shapes}` })
      }
      return [
        { shape: q!.shape, dtype: 'float32' },
        { shape: mergedScores(s), dtype: 'float32' },
      ]
    },
    emit: (onnx, { inputs, outputs, inputTypes, attributes: { scale } }) => {
      const s = shapeOf(inputTypes[0]!, inputTypes[1]!)
      const [q, k, v, mask] = inputs as readonly [string, string, string, string?] // `infer` took three or four
      const queries = reshaped(onnx, q, merged(s))
      const raw = scaledProduct(onnx, queries, k, { transposeB: true, scale })
      const masked = mask === undefined ? raw : hide(onnx, raw, mask, s)
      const probabilities = outputs[1] || onnx.temporary()
      onnx.node('Softmax', [masked], [probabilities], { axis: -1 })
      if (!outputs[0]) return
      const values = scaledProduct(onnx, probabilities, v)
      onnx.node('Reshape', [values, int64Vector(onnx, inputTypes[0]!.shape)], [outputs[0]])
    },
    tfjs: (tf, [q, k, v, mask], { scale }) => {
      const s = shapeOf(q!, k!)
      const raw = tf.mul(tf.matMul(tf.reshape(q!, merged(s)), k!, false, true), scale)
      const masked = mask ? tf.reshape(tf.add(tf.reshape(raw, scores(s)), mask), mergedScores(s)) : raw
      const probabilities = tf.softmax(masked)
      return [tf.reshape(tf.matMul(probabilities, v!), q!.shape), probabilities]
    },
    flops: ([q, k]) => 4 * sizeOf(scores(shapeOf(q!, k!))) * q!.shape.at(-1)!,
    vjp: (ops, { inputs, outputs, attributes: { scale }, dy, wanted }) => {
      const [q, k, v] = inputs as readonly [Tensor, Tensor, Tensor] // `infer` took three
      const s = shapeOf(q, k)
      const [queries, d, values] = [q, dy, outputs[0]!].map(x => ops.reshape(x, merged(s))) as [Tensor, Tensor, Tensor] // three in, three out
      const dScores = scoreGradient(ops, { probabilities: outputs[1]!, values, d, v })
      return [
        wanted[0] ? ops.reshape(ops.matmul(dScores, k, { scale }), q.shape) : undefined,
        wanted[1] ? ops.matmul(dScores, queries, { transposeA: true, scale }) : undefined,
        wanted[2] ? ops.matmul(outputs[1]!, d, { transposeA: true }) : undefined,
      ]
    },
    reference: ([q, k, v, mask], { scale }) => {
      const s = shapeOf(q!, k!)
      const factors = { transposeA: false, transposeB: true, scale }
      const raw = matmulOps.MatMul.reference([{ ...q!, shape: merged(s) }, k!], factors)[0]!
      const probabilities = denseSoftmax(mask ? addMask(raw, mask, s) : raw)
      const values = matmulOps.MatMul.reference([probabilities, v!], {
        transposeA: false,
        transposeB: false,
        scale: 1,
      })[0]!
      return [
        { ...values, shape: q!.shape },
        { ...probabilities, shape: mergedScores(s) },
      ]
    },
  }),
} satisfies Record<string, OpDefinition<never>>

/** d scores = P ∘ (dP − rowsum(d ∘ O)), the softmax gradient with the row sums taken from the outputs. */
export function scoreGradient(
  ops: TableOps<Tensor>,
  { probabilities, values, d, v }: { probabilities: Tensor; values: Tensor; d: Tensor; v: Tensor },
): Tensor {
  const dProbabilities = ops.matmul(d, v, { transposeB: true })
  const rowSums = ops.sum(ops.mul(d, values), { axis: -1, keepDims: true })
  return ops.mul(probabilities, ops.sub(dProbabilities, rowSums))
}

function addMask(raw: Dense, mask: Dense, s: AttentionShape): Dense {
  const at = broadcastIndices(mask.shape, scores(s))
  return { ...raw, data: Float64Array.from(raw.data as Float64Array, (value, i) => value + Number(mask.data[at[i]!])) } // floats by type
}

function hide(onnx: OnnxScope, raw: string, mask: string, s: AttentionShape): string {
  const sum = result(onnx, 'Add', [reshaped(onnx, raw, scores(s)), mask])
  return reshaped(onnx, sum, mergedScores(s))
}

import { denseZeros, type Dense } from '../dense.ts'
import { tensorErrors } from '../errors.ts'
import { sameShape, sizeOf, type Tensor, type TensorType } from '../graph/tensor.ts'
import { int64Vector, result } from './onnx-scope.ts'
import { reshaped, scaledProduct } from './attention-nodes.ts'
import { scoreGradient } from './attention.ts'
import { broadcastIndices, broadcastShape } from './broadcast.ts'
import { defineOp, type OpDefinition } from './definition.ts'
import type { OpAttributes } from './op-attributes.ts'

/** Sizes of q [B, K, N, G, T, D], prefix keys [B, K, S, D] and own keys [B, K, N, T, D]. */
interface Sizes {
  readonly batch: number
  readonly kvHeads: number
  readonly branches: number
  readonly groups: number
  readonly queries: number
  readonly headDim: number
  readonly prefix: number
}

function sizesOf([q, prefixKeys]: readonly Pick<TensorType, 'shape'>[]): Sizes {
  const [batch, kvHeads, branches, groups, queries, headDim] = q!.shape as readonly number[] & { length: 6 } // by `infer`
  return {
    batch: batch!,
    kvHeads: kvHeads!,
    branches: branches!,
    groups: groups!,
    queries: queries!,
    headDim: headDim!,
    prefix: prefixKeys!.shape[2]!,
  }
}

/** All branches' queries of a key-value head as rows of one matrix, with some last axis. */
const joined = (s: Sizes, width: number): number[] => [s.batch, s.kvHeads, s.branches * s.groups * s.queries, width]
/** A matrix per branch, with some last axis. */
const perBranch = (s: Sizes, width: number): number[] => [s.batch, s.kvHeads, s.branches, s.groups * s.queries, width]
const ownScores = (s: Sizes): number[] => [s.batch, s.kvHeads, s.branches, s.groups, s.queries, s.queries]

function refuseOthers(inputs: readonly TensorType[]): void {
  const [q, prefixKeys, prefixValues, ownKeys, ownValues, prefixMask, ownMask] = inputs
  const s = sizesOf(inputs)
  const fits =
    q!.shape.length === 6 &&
    sameShape(prefixKeys!.shape, [s.batch, s.kvHeads, s.prefix, s.headDim]) &&
    sameShape(prefixValues!.shape, prefixKeys!.shape) &&
    [ownKeys!, ownValues!].every(({ shape }) =>
      sameShape(shape, [s.batch, s.kvHeads, s.branches, s.queries, s.headDim]),
    ) &&
    sameShape(prefixMask!.shape, [s.batch, 1, 1, s.prefix]) &&
    sameShape(broadcastShape('prefixAttention', ownMask!.shape, ownScores(s)), ownScores(s))
  if (fits) return
  const shapes = inputs.map(x => `[${x.shape.join(', ')}]`).join(', ')
  throw tensorErrors.SHAPE({
    op: 'prefixAttention',
    reason: `q, prefix keys and values, own keys and values, and the two masks have the shapes ${shapes}`,
  })
}

/**
 * Attention of N continuations of T tokens over a prefix of S tokens that they share, and each over itself. Inputs q
 * [B, K, N, G, T, D], prefix keys and values [B, K, S, D], own keys and values [B, K, N, T, D], masks [B, 1, 1, S] and
 * one that broadcasts to [B, K, N, G, T, T]; results the values, as q, and the probabilities over the prefix [B, K, NGT, S] and over the own tokens
 * [B, K, NGT, T], which the gradient reads. Scores of continuations against each other are not computed.
 */
export const prefixAttentionOps = {
  PrefixAttention: defineOp<OpAttributes['PrefixAttention']>({
    infer: inputs => {
      refuseOthers(inputs)
      const s = sizesOf(inputs)
      return [inputs[0]!.shape, joined(s, s.prefix), joined(s, s.queries)].map(shape => ({ shape, dtype: 'float32' }))
    },
    emit: (onnx, { inputs, outputs, inputTypes, attributes: { scale } }) => {
      const [q, prefixKeys, prefixValues, ownKeys, ownValues, prefixMask, ownMask] = inputs as readonly string[] & {
        length: 7
      } // `infer` took seven
      const s = sizesOf(inputTypes)
      const scoresOf = (shape: readonly number[], keys: string): string =>
        scaledProduct(onnx, reshaped(onnx, q!, shape), keys, { transposeB: true, scale })
      const overPrefix = scoresOf(joined(s, s.headDim), prefixKeys!)
      const overOwn = scoresOf(perBranch(s, s.headDim), ownKeys!)
      const ownMasked = result(onnx, 'Add', [reshaped(onnx, overOwn, ownScores(s)), ownMask!])
      const scores = [result(onnx, 'Add', [overPrefix, prefixMask!]), reshaped(onnx, ownMasked, joined(s, s.queries))]
      const probabilities = result(onnx, 'Softmax', [result(onnx, 'Concat', scores, { axis: 3 })], { axis: -1 })
      const [prefixPart, ownPart] = [outputs[1] || onnx.temporary(), outputs[2] || onnx.temporary()]
      onnx.node('Split', [probabilities, int64Vector(onnx, [s.prefix, s.queries])], [prefixPart, ownPart], { axis: 3 })
      if (!outputs[0]) return
      const fromPrefix = scaledProduct(onnx, prefixPart, prefixValues!)
      const fromOwn = scaledProduct(onnx, reshaped(onnx, ownPart, perBranch(s, s.queries)), ownValues!)
      const sum = result(onnx, 'Add', [fromPrefix, reshaped(onnx, fromOwn, joined(s, s.headDim))])
      onnx.node('Reshape', [sum, int64Vector(onnx, inputTypes[0]!.shape)], [outputs[0]])
    },
    tfjs: (tf, inputs, { scale }) => {
      const [q, prefixKeys, prefixValues, ownKeys, ownValues, prefixMask, ownMask] = inputs as typeof inputs & {
        length: 7
      } // `infer` took seven
      const s = sizesOf(inputs)
      const own = [s.batch * s.kvHeads * s.branches, s.groups * s.queries]
      const perHead = (x: (typeof inputs)[number]) => tf.reshape(x, [own[0]!, s.queries, s.headDim])
      const queries = tf.mul(q!, scale)
      const overPrefix = tf.matMul(tf.reshape(queries, joined(s, s.headDim)), prefixKeys!, false, true)
      const overOwn = tf.matMul(tf.reshape(queries, [...own, s.headDim]), perHead(ownKeys!), false, true)
      const ownMasked = tf.add(tf.reshape(overOwn, ownScores(s)), ownMask!)
      const scores = [tf.add(overPrefix, prefixMask!), tf.reshape(ownMasked, joined(s, s.queries))]
      const probabilities = tf.softmax(tf.concat(scores, 3))
      const part = (start: number, width: number) => tf.slice(probabilities, [0, 0, 0, start], joined(s, width))
      const [prefixPart, ownPart] = [part(0, s.prefix), part(s.prefix, s.queries)]
      const fromOwn = tf.matMul(tf.reshape(ownPart, [...own, s.queries]), perHead(ownValues!))
      const values = tf.add(tf.matMul(prefixPart, prefixValues!), tf.reshape(fromOwn, joined(s, s.headDim)))
      return [tf.reshape(values, q!.shape), prefixPart, ownPart]
    },
    flops: inputs => 4 * sizeOf(inputs[0]!.shape) * (sizesOf(inputs).prefix + sizesOf(inputs).queries),
    vjp: (ops, { inputs, outputs, attributes: { scale }, dy, wanted }) => {
      const [q, prefixKeys, prefixValues, ownKeys, ownValues] = inputs as readonly Tensor[] & { length: 7 } // by `infer`
      const s = sizesOf(inputs)
      const views = (shapeOf: typeof joined): readonly [Tensor, Tensor, Tensor] =>
        [q!, dy, outputs[0]!].map(x => ops.reshape(x, shapeOf(s, s.headDim))) as [Tensor, Tensor, Tensor] // three in, three out
      const gradient = (
        [queries, d, values]: readonly [Tensor, Tensor, Tensor],
        { probabilities, keys, v }: { probabilities: Tensor; keys: Tensor; v: Tensor },
      ) => {
        const dScores = scoreGradient(ops, { probabilities, values, d, v })
        return {
          queries: () => ops.reshape(ops.matmul(dScores, keys, { scale }), q!.shape),
          keys: () => ops.matmul(dScores, queries, { transposeA: true, scale }),
          values: () => ops.matmul(probabilities, d, { transposeA: true }),
        }
      }
      const prefix = gradient(views(joined), { probabilities: outputs[1]!, keys: prefixKeys!, v: prefixValues! })
      const ownProbabilities = ops.reshape(outputs[2]!, perBranch(s, s.queries))
      const own = gradient(views(perBranch), { probabilities: ownProbabilities, keys: ownKeys!, v: ownValues! })
      const rules = [() => ops.add(prefix.queries(), own.queries()), prefix.keys, prefix.values, own.keys, own.values]
      return [...rules.map((rule, i) => (wanted[i] ? rule() : undefined)), undefined, undefined]
    },
    reference: (inputs, { scale }) => referenceOf(inputs, scale),
  }),
} satisfies Record<string, OpDefinition<never>>

function referenceOf(inputs: readonly Dense[], scale: number): Dense[] {
  const [q, prefixKeys, prefixValues, ownKeys, ownValues, prefixMask, ownMask] = inputs as readonly Dense[] & {
    length: 7
  } // by `infer`
  const s = sizesOf(inputs)
  const values = denseZeros(q!.shape)
  const [overPrefix, overOwn] = [denseZeros(joined(s, s.prefix)), denseZeros(joined(s, s.queries))]
  const shownAt = broadcastIndices(ownMask!.shape, ownScores(s))
  const at = ({ data }: Dense, row: number, i: number): number => Number(data[row * s.headDim + i])
  for (let row = 0; row < sizeOf(q!.shape) / s.headDim; row++) {
    const branch = Math.floor(row / (s.queries * s.groups))
    const head = Math.floor(branch / s.branches)
    const keys = [
      ...Array.from({ length: s.prefix }, (_, i) => ({
        keys: prefixKeys!,
        values: prefixValues!,
        row: head * s.prefix + i,
        mask: Number(prefixMask!.data[Math.floor(head / s.kvHeads) * s.prefix + i]),
      })),
      ...Array.from({ length: s.queries }, (_, i) => ({
        keys: ownKeys!,
        values: ownValues!,
        row: branch * s.queries + i,
        mask: Number(ownMask!.data[shownAt[row * s.queries + i]!]),
      })),
    ]
    const scores = keys.map(key => {
      let dot = 0
      for (let i = 0; i < s.headDim; i++) dot += at(q!, row, i) * at(key.keys, key.row, i)
      return scale * dot + key.mask
    })
    const top = Math.max(...scores)
    const powers = scores.map(score => Math.exp(score - top))
    const total = powers.reduce((sum, power) => sum + power, 0)
    powers.forEach((power, k) => {
      const share = power / total
      if (k < s.prefix) overPrefix.data[row * s.prefix + k] = share
      else overOwn.data[row * s.queries + k - s.prefix] = share
      const key = keys[k]!
      for (let i = 0; i < s.headDim; i++) values.data[row * s.headDim + i]! += share * at(key.values, key.row, i)
    })
  }
  return [values, overPrefix, overOwn]
}

import { denseZeros, type Dense } from '../dense.ts'
import { tensorErrors } from '../errors.ts'
import { sameShape, type TensorType } from '../graph/tensor.ts'
import { int64Vector, result } from './onnx-scope.ts'
import { scaledProduct } from './attention-nodes.ts'
import { defineOp, type OpDefinition } from './definition.ts'
import type { OpAttributes } from './op-attributes.ts'
import type { TfTensor } from './tf.ts'

function refuseOthers(inputs: readonly TensorType[]): void {
  const [q, pastKeys, pastValues, ownKeys, ownValues, mask] = inputs
  const [batch, kvHeads, , headDim] = q!.shape as readonly [number, number, number, number] // rank 4 by the first check
  const past = pastKeys!.shape[2]!
  const fits =
    q!.shape.length === 4 &&
    sameShape(pastKeys!.shape, [batch, kvHeads, past, headDim]) &&
    sameShape(pastValues!.shape, pastKeys!.shape) &&
    [ownKeys!, ownValues!].every(own => sameShape(own.shape, [batch, kvHeads, 1, headDim])) &&
    sameShape(mask!.shape, [batch, 1, 1, past])
  if (fits) return
  const shapes = inputs.map(x => `[${x.shape.join(', ')}]`).join(', ')
  throw tensorErrors.SHAPE({
    op: 'pastAttention',
    reason: `q, past keys and values, own keys and values, and mask have the shapes ${shapes}`,
  })
}

/**
 * Attention of one new token over P cached ones and itself: inputs q [B, K, G, D], past keys and values [B, K, P, D], own
 * keys and values [B, K, 1, D], mask [B, 1, 1, P]. One softmax over two sets of keys, so that a cache is read where it
 * lies: no copy of P + 1 keys. B and P may be open. For inference: it has no gradient.
 */
export const pastAttentionOps = {
  PastAttention: defineOp<OpAttributes['PastAttention']>({
    infer: inputs => {
      refuseOthers(inputs)
      return [{ shape: inputs[0]!.shape, dtype: 'float32' }]
    },
    emit: (onnx, { inputs, outputs, attributes: { scale } }) => {
      const [q, pastKeys, pastValues, ownKeys, ownValues, mask] = inputs as readonly string[] & { length: 6 } // `infer` took six
      const over = (keys: string): string => scaledProduct(onnx, q!, keys, { transposeB: true, scale })
      const hidden = result(onnx, 'Add', [over(pastKeys!), mask!])
      const scores = result(onnx, 'Concat', [hidden, over(ownKeys!)], { axis: 3 })
      const probabilities = result(onnx, 'Softmax', [scores], { axis: -1 })
      // From the end: the number of cached tokens may be open.
      const part = (start: number, end: number): string =>
        result(onnx, 'Slice', [probabilities, ...[start, end, 3].map(at => int64Vector(onnx, [at]))])
      const fromPast = result(onnx, 'MatMul', [part(0, -1), pastValues!])
      const fromOwn = result(onnx, 'MatMul', [part(-1, 2 ** 31), ownValues!])
      onnx.node('Add', [fromPast, fromOwn], outputs)
    },
    tfjs: (tf, [q, pastKeys, pastValues, ownKeys, ownValues, mask], { scale }) => {
      const scores = (keys: TfTensor): TfTensor => tf.mul(tf.matMul(q!, keys, false, true), scale)
      const both = tf.concat([tf.add(scores(pastKeys!), mask!), scores(ownKeys!)], 3)
      return [tf.matMul(tf.softmax(both), tf.concat([pastValues!, ownValues!], 2))]
    },
    reference: ([q, pastKeys, pastValues, ownKeys, ownValues, mask], { scale }) => {
      const [batch, kvHeads, groups, headDim] = q!.shape as readonly [number, number, number, number] // by `infer`
      const past = pastKeys!.shape[2]!
      const output = denseZeros(q!.shape)
      for (let row = 0; row < batch * kvHeads * groups; row++) {
        const head = Math.floor(row / groups)
        const query = rowOf(q!, row, headDim)
        const key = (at: number) =>
          at < past ? rowOf(pastKeys!, head * past + at, headDim) : rowOf(ownKeys!, head, headDim)
        const value = (at: number) =>
          at < past ? rowOf(pastValues!, head * past + at, headDim) : rowOf(ownValues!, head, headDim)
        const shown = (at: number) => (at < past ? Number(mask!.data[Math.floor(head / kvHeads) * past + at]) : 0)
        const weights = softmaxOf(past + 1, at => scale * dotOf(query, key(at)) + shown(at))
        weights.forEach((weight, at) => value(at).forEach((x, i) => (output.data[row * headDim + i]! += weight * x)))
      }
      return [output]
    },
  }),
} satisfies Record<string, OpDefinition<never>>

function rowOf({ data }: Dense, row: number, width: number): number[] {
  return Array.from(data.subarray(row * width, (row + 1) * width) as Float64Array) // attention takes floats
}

function dotOf(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0)
}

function softmaxOf(count: number, score: (at: number) => number): number[] {
  const scores = Array.from({ length: count }, (_, at) => score(at))
  const weights = scores.map(each => Math.exp(each - Math.max(...scores)))
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  return weights.map(weight => weight / total)
}

import { denseZeros, type Dense } from '../dense.ts'
import { tensorErrors } from '../errors.ts'
import { sameShape, type TensorType } from '../graph/tensor.ts'
import { int64Vector, result, type OnnxScope } from './onnx-scope.ts'
import { reshaped, scaledProduct } from './attention-nodes.ts'
import { defineOp, type OpDefinition } from './definition.ts'
import type { OpAttributes } from './op-attributes.ts'
import type { TfTensor } from './tf.ts'

interface Sizes {
  readonly batch: number
  readonly kvHeads: number
  readonly groups: number
  readonly past: number
  readonly headDim: number
}

function sizesOf(inputs: readonly Pick<TensorType, 'shape'>[]): Sizes {
  const [q, , , pastKeys] = inputs
  const [batch, kvHeads, past, headDim] = pastKeys!.shape as readonly [number, number, number, number] // rank 4 by `fits`
  return { batch, kvHeads, groups: q!.shape[1]! / (kvHeads * headDim), past, headDim }
}

function fits(inputs: readonly TensorType[]): boolean {
  const [q, keys, values, pastKeys, pastValues, pastMask, ownMask] = inputs
  if (pastKeys!.shape.length !== 4 || q!.shape.length !== 2) return false
  const { batch, kvHeads, groups, past, headDim } = sizesOf(inputs)
  return (
    Number.isInteger(groups) &&
    [keys!, values!].every(own => sameShape(own.shape, [q!.shape[0]!, kvHeads * headDim])) &&
    sameShape(pastValues!.shape, pastKeys!.shape) &&
    sameShape(pastMask!.shape, [batch, 1, 1, past]) &&
    ownMask!.shape.length === 4 &&
    sameShape(ownMask!.shape.slice(0, 2), [1, 1])
  )
}

/**
 * Attention of T new tokens of each of B sequences over P cached ones and themselves: inputs q [B * T, K * G * D], own keys and
 * values [B * T, K * D], past keys and values [B, K, P, D], past mask [B, 1, 1, P], own mask [1, 1, G * T, T]. One softmax over two
 * sets of keys, so that a cache is read where it lies. B, T and P may all be open: one program serves the chunks of a prompt
 * and the steps of decoding. For inference: it has no gradient.
 */
export const cachedAttentionOps = {
  CachedAttention: defineOp<OpAttributes['CachedAttention']>({
    infer: inputs => {
      if (fits(inputs)) return [{ shape: inputs[0]!.shape, dtype: 'float32' }]
      const shapes = inputs.map(x => `[${x.shape.join(', ')}]`).join(', ')
      throw tensorErrors.SHAPE({
        op: 'cachedAttention',
        reason: `q, own and past keys and values, and the two masks have the shapes ${shapes}`,
      })
    },
    emit: (onnx, { inputs, outputs, inputTypes, attributes: { scale } }) => {
      const [q, keys, values, pastKeys, pastValues, pastMask, ownMask] = inputs as readonly string[] & { length: 7 } // by `fits`
      const { kvHeads, groups, headDim } = sizesOf(inputTypes)
      const batch = lengthOf(onnx, pastKeys!, 0)
      const perRow = (x: string, ...rest: readonly number[]): string =>
        result(onnx, 'Reshape', [x, joined(onnx, [batch, int64Vector(onnx, rest)])])
      const perHead = (x: string): string =>
        result(onnx, 'Transpose', [perRow(x, -1, kvHeads, headDim)], { perm: [0, 2, 1, 3] })
      const grouped = result(onnx, 'Transpose', [perRow(q!, -1, kvHeads, groups, headDim)], { perm: [0, 2, 3, 1, 4] })
      const queries = reshaped(onnx, grouped, [0, 0, -1, headDim])
      const scores = (over: string, mask: string): string =>
        result(onnx, 'Add', [scaledProduct(onnx, queries, over, { transposeB: true, scale }), mask])
      const both = [scores(pastKeys!, pastMask!), scores(perHead(keys!), ownMask!)]
      const probabilities = result(onnx, 'Softmax', [result(onnx, 'Concat', both, { axis: 3 })], { axis: -1 })
      const [fromPast, fromOwn] = [onnx.temporary(), onnx.temporary()]
      const lengths = joined(onnx, [lengthOf(onnx, pastMask!, 3), lengthOf(onnx, ownMask!, 3)])
      onnx.node('Split', [probabilities, lengths], [fromPast, fromOwn], { axis: 3 })
      const parts = [
        result(onnx, 'MatMul', [fromPast, pastValues!]),
        result(onnx, 'MatMul', [fromOwn, perHead(values!)]),
      ]
      const split = perRow(result(onnx, 'Add', parts), kvHeads, groups, -1, headDim)
      const back = result(onnx, 'Transpose', [split], { perm: [0, 3, 1, 2, 4] })
      onnx.node('Reshape', [back, int64Vector(onnx, [-1, kvHeads * groups * headDim])], outputs)
    },
    tfjs: (tf, inputs, { scale }) => {
      const [q, keys, values, pastKeys, pastValues, pastMask, ownMask] = inputs as typeof inputs & { length: 7 } // by `fits`
      const { batch, kvHeads, groups, headDim } = sizesOf(inputs)
      const tokens = q!.shape[0]! / batch
      const perHead = (x: TfTensor): TfTensor =>
        tf.transpose(tf.reshape(x, [batch, tokens, kvHeads, headDim]), [0, 2, 1, 3])
      const grouped = tf.transpose(tf.reshape(q!, [batch, tokens, kvHeads, groups, headDim]), [0, 2, 3, 1, 4])
      const queries = tf.reshape(tf.mul(grouped, scale), [batch, kvHeads, groups * tokens, headDim])
      const scores = (over: TfTensor, mask: TfTensor): TfTensor => tf.add(tf.matMul(queries, over, false, true), mask)
      const both = tf.concat([scores(pastKeys!, pastMask!), scores(perHead(keys!), ownMask!)], 3)
      const attended = tf.matMul(tf.softmax(both), tf.concat([pastValues!, perHead(values!)], 2))
      const split = tf.reshape(attended, [batch, kvHeads, groups, tokens, headDim])
      return [tf.reshape(tf.transpose(split, [0, 3, 1, 2, 4]), q!.shape)]
    },
    reference: (inputs, { scale }) => referenceOf(inputs, scale),
  }),
} satisfies Record<string, OpDefinition<never>>

/** One length of a value's shape, as an int64 vector of one. */
function lengthOf(onnx: OnnxScope, x: string, axis: number): string {
  return result(onnx, 'Shape', [x], { start: axis, end: axis + 1 })
}

function joined(onnx: OnnxScope, parts: readonly string[]): string {
  return result(onnx, 'Concat', parts, { axis: 0 })
}

function referenceOf(inputs: readonly Dense[], scale: number): Dense[] {
  const [q, keys, values, pastKeys, pastValues, pastMask, ownMask] = inputs as readonly Dense[] & { length: 7 } // by `fits`
  const { batch, kvHeads, groups, past, headDim } = sizesOf(inputs)
  const tokens = q!.shape[0]! / batch
  const output = denseZeros(q!.shape)
  for (let row = 0; row < batch * tokens * kvHeads * groups; row++) {
    const [token, head] = [Math.floor(row / (kvHeads * groups)), row % (kvHeads * groups)]
    const [sequence, kvHead, group] = [Math.floor(token / tokens), Math.floor(head / groups), head % groups]
    const cached = (i: number): number => ((sequence * kvHeads + kvHead) * past + i) * headDim
    const own = (i: number): number => ((sequence * tokens + i) * kvHeads + kvHead) * headDim
    const seen = [
      ...Array.from({ length: past }, (_, i) => ({
        key: pastKeys!,
        value: pastValues!,
        start: cached(i),
        mask: at(pastMask!, sequence * past, i),
      })),
      ...Array.from({ length: tokens }, (_, i) => ({
        key: keys!,
        value: values!,
        start: own(i),
        mask: at(ownMask!, (group * tokens + (token % tokens)) * tokens, i),
      })),
    ]
    const scores = seen.map(({ key, start, mask }) => {
      let dot = 0
      for (let i = 0; i < headDim; i++) dot += at(q!, row * headDim, i) * at(key, start, i)
      return scale * dot + mask
    })
    const top = Math.max(...scores)
    const total = scores.reduce((sum, score) => sum + Math.exp(score - top), 0)
    seen.forEach(({ value, start }, k) => {
      const share = Math.exp(scores[k]! - top) / total
      for (let i = 0; i < headDim; i++) output.data[row * headDim + i]! += share * at(value, start, i)
    })
  }
  return [output]
}

function at({ data }: Dense, start: number, i: number): number {
  return Number(data[start + i])
}

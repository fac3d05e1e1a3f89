import type { Dense, DenseData } from '../dense.ts'
import { tensorErrors } from '../errors.ts'
import { sameShape, sizeOf, stridesOf } from '../graph/tensor.ts'
import { int64Vector } from './onnx-scope.ts'
import { broadcastIndices, broadcastShape, reduceToShape } from './broadcast.ts'
import { defineOp, type OpDefinition } from './definition.ts'
import type { OpAttributes } from './op-attributes.ts'

/** Picks the elements at `indices` into a new value. */
export function pick(x: Dense, indices: Int32Array, shape: readonly number[]): Dense {
  const data = x.data.slice(0, 0).constructor as new (length: number) => DenseData // the same kind of array
  const picked = new data(indices.length)
  for (let i = 0; i < indices.length; i++) picked[i] = x.data[indices[i]!]!
  return { shape, dtype: x.dtype, data: picked }
}

/** Moving elements is no arithmetic. */
export const none = (): number => 0

const spansOf = (shape: readonly number[], axis: number): { outer: number; inner: number } => ({
  outer: sizeOf(shape.slice(0, axis)),
  inner: sizeOf(shape.slice(axis + 1)),
})

/** Operations that move elements without computing. */
export const layoutOps = {
  Reshape: defineOp<OpAttributes['Reshape']>({
    isView: true,
    flops: none,
    tfjs: (tf, [x], { shape }) => [tf.reshape(x!, shape)],
    infer: ([x], { shape }) => {
      if (sizeOf(shape) !== sizeOf(x!.shape)) {
        throw tensorErrors.SHAPE({
          op: 'reshape',
          reason: `[${x!.shape.join(', ')}] does not fill [${shape.join(', ')}]`,
        })
      }
      return [{ shape, dtype: x!.dtype }]
    },
    emit: (onnx, { inputs, outputs, attributes }) =>
      onnx.node('Reshape', [inputs[0]!, int64Vector(onnx, attributes.shape)], outputs),
    vjp: (ops, { inputs, dy }) => [ops.reshape(dy, inputs[0]!.shape)],
    reference: ([x], { shape }) => [{ ...x!, shape }],
  }),
  Transpose: defineOp<OpAttributes['Transpose']>({
    flops: none,
    tfjs: (tf, [x], { permutation }) => [tf.transpose(x!, permutation)],
    infer: ([x], { permutation }) => {
      const isPermutation = x!.shape.every((_, axis) => permutation.includes(axis))
      if (permutation.length !== x!.shape.length || !isPermutation) {
        throw tensorErrors.SHAPE({
          op: 'transpose',
          reason: `[${permutation.join(', ')}] is no order of the axes of [${x!.shape.join(', ')}]`,
        })
      }
      return [{ shape: permutation.map(axis => x!.shape[axis]!), dtype: x!.dtype }]
    },
    emit: (onnx, { inputs, outputs, attributes }) =>
      onnx.node('Transpose', inputs, outputs, { perm: attributes.permutation }),
    vjp: (ops, { attributes, dy }) => [
      ops.transpose(
        dy,
        attributes.permutation.map((_, axis) => attributes.permutation.indexOf(axis)),
      ),
    ],
    reference: ([x], { permutation }) => {
      const shape = permutation.map(axis => x!.shape[axis]!)
      const [strides, target] = [stridesOf(x!.shape), stridesOf(shape)]
      const indices = Int32Array.from({ length: x!.data.length }, (_, i) =>
        permutation.reduce((at, axis, k) => at + (Math.floor(i / target[k]!) % shape[k]!) * strides[axis]!, 0),
      )
      return [pick(x!, indices, shape)]
    },
  }),
  Concat: defineOp<OpAttributes['Concat']>({
    flops: none,
    tfjs: (tf, parts, { axis }) => [tf.concat(parts, axis)],
    infer: (parts, { axis }) => {
      const shape = [...parts[0]!.shape]
      for (const part of parts.slice(1)) {
        if (part.shape.length !== shape.length || part.shape.some((length, i) => i !== axis && length !== shape[i])) {
          throw tensorErrors.SHAPE({
            op: 'concat',
            reason: `[${part.shape.join(', ')}] cannot follow [${shape.join(', ')}] along axis ${axis}`,
          })
        }
        shape[axis]! += part.shape[axis]!
      }
      return [{ shape, dtype: parts[0]!.dtype }]
    },
    emit: (onnx, { inputs, outputs, attributes }) => onnx.node('Concat', inputs, outputs, { axis: attributes.axis }),
    vjp: (ops, { inputs, attributes: { axis }, dy, wanted }) => {
      let start = 0
      return inputs.map((part, i) => {
        const end = start + part.shape[axis]!
        const dPart = wanted[i] ? ops.slice(dy, axis, start, end) : undefined
        start = end
        return dPart
      })
    },
    reference: (parts, { axis }) => {
      const shape = [...parts[0]!.shape]
      shape[axis] = parts.reduce((length, part) => length + part.shape[axis]!, 0)
      const { outer, inner } = spansOf(shape, axis)
      const result = pick(parts[0]!, new Int32Array(sizeOf(shape)), shape)
      let at = 0
      for (let o = 0; o < outer; o++) {
        for (const part of parts) {
          const span = part.shape[axis]! * inner
          for (let i = 0; i < span; i++) result.data[at++] = part.data[o * span + i]!
        }
      }
      return [result]
    },
  }),
  Slice: defineOp<OpAttributes['Slice']>({
    flops: none,
    tfjs: (tf, [x], { axis, start, end }) => [
      tf.slice(
        x!,
        x!.shape.map((_, i) => (i === axis ? start : 0)),
        x!.shape.map((length, i) => (i === axis ? end - start : length)),
      ),
    ],
    infer: ([x], { axis, start, end }) => {
      if (!(start >= 0 && start < end && end <= x!.shape[axis]!)) {
        throw tensorErrors.SHAPE({
          op: 'slice',
          reason: `[${start}, ${end}) is not inside axis ${axis} of [${x!.shape.join(', ')}]`,
        })
      }
      return [{ shape: x!.shape.map((length, i) => (i === axis ? end - start : length)), dtype: x!.dtype }]
    },
    emit: (onnx, { inputs, outputs, attributes: { axis, start, end } }) => {
      const bounds = [[start], [end], [axis]].map(values => int64Vector(onnx, values))
      onnx.node('Slice', [inputs[0]!, ...bounds], outputs)
    },
    vjp: (ops, { inputs, attributes: { axis, start, end }, dy }) => [
      ops.apply('Pad', [dy], { axis, before: start, after: inputs[0]!.shape[axis]! - end })[0],
    ],
    reference: ([x], { axis, start, end }) => {
      const shape = x!.shape.map((length, i) => (i === axis ? end - start : length))
      const { outer, inner } = spansOf(shape, axis)
      const indices = new Int32Array(sizeOf(shape))
      let at = 0
      for (let o = 0; o < outer; o++) {
        for (let i = start * inner; i < end * inner; i++) indices[at++] = o * x!.shape[axis]! * inner + i
      }
      return [pick(x!, indices, shape)]
    },
  }),
  /** Zeros before and after along one axis. */
  Pad: defineOp<OpAttributes['Pad']>({
    // Gradients of two slices that make up the whole are joined: nothing is lost without the zeros.
    addGradients: (ops, { inputs, attributes, otherNode }) => {
      if (otherNode?.op !== 'Pad') return undefined
      const [first, second] = [inputs[0]!, otherNode.inputs[0]!]
      const next = otherNode.attributes as unknown as OpAttributes['Pad'] // of a Pad
      const { axis } = attributes
      const isJoined =
        axis === next.axis && attributes.before === 0 && next.after === 0 && next.before === first.shape[axis]
      return isJoined ? ops.concat([first, second], axis) : undefined
    },
    flops: none,
    tfjs: (tf, [x], { axis, before, after }) => [
      tf.pad(
        x!,
        x!.shape.map((_, i) => (i === axis ? [before, after] : [0, 0])),
      ),
    ],
    infer: ([x], { axis, before, after }) => [
      { shape: x!.shape.map((length, i) => (i === axis ? before + length + after : length)), dtype: x!.dtype },
    ],
    emit: (onnx, { inputs, outputs, inputTypes, attributes: { axis, before, after } }) => {
      const rank = inputTypes[0]!.shape.length
      const pads = Array.from({ length: 2 * rank }, (_, i) => (i === axis ? before : i === rank + axis ? after : 0))
      onnx.node('Pad', [inputs[0]!, int64Vector(onnx, pads)], outputs)
    },
    vjp: (ops, { inputs, attributes: { axis, before }, dy }) => [
      ops.slice(dy, axis, before, before + inputs[0]!.shape[axis]!),
    ],
    reference: ([x], { axis, before, after }) => {
      const shape = x!.shape.map((length, i) => (i === axis ? before + length + after : length))
      const { outer, inner } = spansOf(shape, axis)
      const data = new Float64Array(sizeOf(shape))
      const span = x!.shape[axis]! * inner
      for (let o = 0; o < outer; o++) {
        for (let i = 0; i < span; i++) data[(o * shape[axis]! + before) * inner + i] = Number(x!.data[o * span + i])
      }
      return [{ shape, dtype: 'float32', data }]
    },
  }),
  Expand: defineOp<OpAttributes['Expand']>({
    flops: none,
    tfjs: (tf, [x], { shape }) => [tf.broadcastTo(x!, shape)],
    infer: ([x], { shape }) => {
      const isLarger = sameShape(broadcastShape('expand', x!.shape, shape), shape)
      if (isLarger) return [{ shape, dtype: x!.dtype }]
      const reason = `[${x!.shape.join(', ')}] does not broadcast to [${shape.join(', ')}]`
      throw tensorErrors.SHAPE({ op: 'expand', reason })
    },
    emit: (onnx, { inputs, outputs, attributes }) =>
      onnx.node('Expand', [inputs[0]!, int64Vector(onnx, attributes.shape)], outputs),
    vjp: (ops, { inputs, dy }) => [reduceToShape(ops, dy, inputs[0]!.shape)],
    reference: ([x], { shape }) => [pick(x!, broadcastIndices(x!.shape, shape), shape)],
  }),
} satisfies Record<string, OpDefinition<never>>

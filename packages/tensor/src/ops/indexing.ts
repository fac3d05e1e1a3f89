import { denseZeros } from '../dense.ts'
import { tensorErrors } from '../errors.ts'
import { sizeOf, stridesOf } from '../graph/tensor.ts'
import { int64Vector, type OnnxScope } from './onnx-scope.ts'
import { defineOp, type OpDefinition } from './definition.ts'
import type { OpAttributes } from './op-attributes.ts'
import { none, pick } from './layout.ts'
import type { Tf, TfTensor } from './tf.ts'

function zeros(onnx: OnnxScope, shape: readonly number[]): string {
  const name = onnx.temporary()
  onnx.node('ConstantOfShape', [int64Vector(onnx, shape)], [name])
  return name
}

/** Look-ups, and the additions that are their gradients. ScatterND with addition races in ONNX Runtime; ScatterElements does not. */
export const indexingOps = {
  GatherRows: defineOp({
    flops: none,
    tfjs: (tf, [table, rows]) => [tf.gather(table!, rows!)],
    infer: ([table, rows]) => {
      if (rows!.dtype !== 'int32') throw tensorErrors.SHAPE({ op: 'gatherRows', reason: 'rows must be int32' })
      return [{ shape: [...rows!.shape, ...table!.shape.slice(1)], dtype: table!.dtype }]
    },
    emit: (onnx, { inputs, outputs }) => onnx.node('Gather', inputs, outputs, { axis: 0 }),
    vjp: (ops, { inputs, dy }) => {
      const [table, rows] = [inputs[0]!, inputs[1]!]
      const [count, width] = [sizeOf(rows.shape), sizeOf(table.shape.slice(1))]
      const updates = ops.reshape(dy, [count, width])
      const flat = ops.apply('ScatterAddRows', [updates, ops.reshape(rows, [count])], { rows: table.shape[0]! })[0]!
      return [ops.reshape(flat, table.shape), undefined]
    },
    reference: ([table, rows]) => {
      const width = sizeOf(table!.shape.slice(1))
      const indices = Int32Array.from(
        { length: rows!.data.length * width },
        (_, i) => Number(rows!.data[Math.floor(i / width)]) * width + (i % width),
      )
      return [pick(table!, indices, [...rows!.shape, ...table!.shape.slice(1)])]
    },
  }),
  /** Adds `updates` [M, D] to the rows `rows` [M] of a third operand [R, D], or of zeros where there is none. */
  ScatterAddRows: defineOp<OpAttributes['ScatterAddRows']>({
    // Onto the other gradient instead of onto zeros, in place: for a large embedding that saves several passes over it.
    addGradients: (ops, { inputs, attributes, other }) =>
      inputs.length === 2 ? ops.apply('ScatterAddRows', [...inputs, other], attributes)[0] : undefined,
    flops: ([updates]) => sizeOf(updates!.shape),
    tfjs: (tf, [updates, rows, base], { rows: count }) => {
      const sums = tf.scatterND(tf.reshape(rows!, [rows!.shape[0]!, 1]), updates!, [count, updates!.shape[1]!])
      return [base ? tf.add(base, sums) : sums]
    },
    infer: ([updates], { rows }) => [{ shape: [rows, updates!.shape[1]!], dtype: 'float32' }],
    emit: (onnx, { inputs, outputs, inputTypes, attributes }) => {
      const [count, width] = inputTypes[0]!.shape as readonly [number, number] // rank 2 by `infer`
      const [column, indices] = [onnx.temporary(), onnx.temporary()]
      onnx.node('Reshape', [inputs[1]!, int64Vector(onnx, [count, 1])], [column])
      onnx.node('Expand', [column, int64Vector(onnx, [count, width])], [indices])
      const base = inputs[2] ?? zeros(onnx, [attributes.rows, width])
      onnx.node('ScatterElements', [base, indices, inputs[0]!], outputs, { axis: 0, reduction: 'add' })
    },
    vjp: (ops, { inputs, dy }) => [ops.gatherRows(dy, inputs[1]!), undefined, dy],
    reference: ([updates, rows, base], { rows: count }) => {
      const width = updates!.shape[1]!
      const result = denseZeros([count, width])
      if (base) result.data.set(base.data as Float64Array) // floats by type
      for (let i = 0; i < updates!.data.length; i++) {
        result.data[Number(rows!.data[Math.floor(i / width)]) * width + (i % width)]! += Number(updates!.data[i])
      }
      return [result]
    },
  }),
  GatherElements: defineOp<OpAttributes['GatherElements']>({
    flops: none,
    tfjs: (tf, [x, indices], { axis }) => [
      tf.gather(tf.reshape(x!, [sizeOf(x!.shape)]), tfPositions(tf, x!.shape, indices!, axis)),
    ],
    infer: ([x, indices]) => {
      if (indices!.dtype !== 'int32' || indices!.shape.length !== x!.shape.length) {
        throw tensorErrors.SHAPE({ op: 'gatherElements', reason: 'indices must be int32 and of the rank of x' })
      }
      return [{ shape: indices!.shape, dtype: x!.dtype }]
    },
    emit: (onnx, { inputs, outputs, attributes }) =>
      onnx.node('GatherElements', inputs, outputs, { axis: attributes.axis }),
    vjp: (ops, { inputs, attributes: { axis }, dy }) => [
      ops.apply('ScatterAddElements', [dy, inputs[1]!], { axis, shape: inputs[0]!.shape })[0],
      undefined,
    ],
    reference: ([x, indices], { axis }) => [
      pick(x!, elementPositions(x!.shape, indices!.shape, indices!.data as Int32Array, axis), indices!.shape), // int32 by `infer`
    ],
  }),
  /** Adds `updates` at `indices` along one axis of zeros of the given shape. */
  ScatterAddElements: defineOp<OpAttributes['ScatterAddElements']>({
    flops: ([updates]) => sizeOf(updates!.shape),
    tfjs: (tf, [updates, indices], { axis, shape }) => {
      const count = sizeOf(indices!.shape)
      const at = tf.reshape(tfPositions(tf, shape, indices!, axis), [count, 1])
      return [tf.reshape(tf.scatterND(at, tf.reshape(updates!, [count]), [sizeOf(shape)]), shape)]
    },
    infer: (_inputs, { shape }) => [{ shape, dtype: 'float32' }],
    emit: (onnx, { inputs, outputs, attributes: { axis, shape } }) =>
      onnx.node('ScatterElements', [zeros(onnx, shape), inputs[1]!, inputs[0]!], outputs, { axis, reduction: 'add' }),
    vjp: (ops, { inputs, attributes, dy }) => [ops.gatherElements(dy, inputs[1]!, attributes.axis), undefined],
    reference: ([updates, indices], { axis, shape }) => {
      const result = denseZeros(shape)
      const positions = elementPositions(shape, indices!.shape, indices!.data as Int32Array, axis) // int32 by type
      positions.forEach((at, i) => (result.data[at]! += Number(updates!.data[i])))
      return [result]
    },
  }),
} satisfies Record<string, OpDefinition<never>>

/** Flat positions in `shape` of the elements that `indices` names along `axis`. */
function elementPositions(
  shape: readonly number[],
  indexShape: readonly number[],
  indices: Int32Array,
  axis: number,
): Int32Array {
  const [strides, own] = [stridesOf(shape), stridesOf(indexShape)]
  return indices.map((index, i) =>
    indexShape.reduce((at, length, k) => at + (k === axis ? index : Math.floor(i / own[k]!) % length) * strides[k]!, 0),
  )
}

/** The same positions as a tensor of TensorFlow.js. */
export function tfPositions(tf: Tf, shape: readonly number[], indices: TfTensor, axis: number): TfTensor {
  const origin = elementPositions(shape, indices.shape, new Int32Array(sizeOf(indices.shape)), axis)
  const step = tf.tensor([stridesOf(shape)[axis]!], [], 'int32')
  return tf.add(tf.mul(indices, step), tf.tensor(origin, indices.shape, 'int32'))
}

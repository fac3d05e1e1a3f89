import { denseZeros, type Dense } from '../dense.ts'
import { sizeOf, stridesOf, type Tensor, type TensorType } from '../graph/tensor.ts'
import { int64Vector } from './onnx-scope.ts'
import { defineOp, type OpDefinition, type TableOps } from './definition.ts'
import type { OpAttributes } from './op-attributes.ts'

function keptShape(shape: readonly number[], axes: readonly number[]): number[] {
  return shape.map((length, axis) => (axes.includes(axis) ? 1 : length))
}

function inferReduction(x: TensorType, { axes, keepDims }: OpAttributes['ReduceSum']): readonly TensorType[] {
  const shape = keepDims ? keptShape(x.shape, axes) : x.shape.filter((_, axis) => !axes.includes(axis))
  return [{ shape, dtype: x.dtype }]
}

function reduce(
  x: Dense,
  { axes, keepDims }: OpAttributes['ReduceSum'],
  start: number,
  merge: (a: number, b: number) => number,
): Dense {
  const kept = keptShape(x.shape, axes)
  const result = denseZeros(kept)
  result.data.fill(start)
  const [strides, target] = [stridesOf(x.shape), stridesOf(kept)]
  for (let i = 0; i < x.data.length; i++) {
    let at = 0
    for (let axis = 0; axis < kept.length; axis++) {
      if (kept[axis] !== 1) at += (Math.floor(i / strides[axis]!) % x.shape[axis]!) * target[axis]!
    }
    result.data[at] = merge(result.data[at]!, Number(x.data[i]))
  }
  return { ...result, shape: keepDims ? kept : x.shape.filter((_, axis) => !axes.includes(axis)) }
}

function spread(ops: TableOps<Tensor>, value: Tensor, x: Tensor, axes: readonly number[]): Tensor {
  return ops.expand(ops.reshape(value, keptShape(x.shape, axes)), x.shape)
}

/** Reductions over axes. */
export const reductionOps = {
  ReduceSum: defineOp<OpAttributes['ReduceSum']>({
    infer: ([x], reduction) => inferReduction(x!, reduction),
    flops: ([x]) => sizeOf(x!.shape),
    tfjs: (tf, [x], { axes, keepDims }) => [tf.sum(x!, axes, keepDims)],
    emit: (onnx, { inputs, outputs, attributes }) =>
      onnx.node('ReduceSum', [inputs[0]!, int64Vector(onnx, attributes.axes)], outputs, {
        keepdims: attributes.keepDims ? 1 : 0,
      }),
    vjp: (ops, { inputs, attributes, dy }) => [spread(ops, dy, inputs[0]!, attributes.axes)],
    reference: ([x], reduction) => [reduce(x!, reduction, 0, (a, b) => a + b)],
  }),
  // Elements that tie for the maximum all take the gradient.
  ReduceMax: defineOp<OpAttributes['ReduceMax']>({
    infer: ([x], reduction) => inferReduction(x!, reduction),
    flops: ([x]) => sizeOf(x!.shape),
    tfjs: (tf, [x], { axes, keepDims }) => [tf.max(x!, axes, keepDims)],
    emit: (onnx, { inputs, outputs, attributes }) =>
      onnx.node('ReduceMax', [inputs[0]!, int64Vector(onnx, attributes.axes)], outputs, {
        keepdims: attributes.keepDims ? 1 : 0,
      }),
    vjp: (ops, { inputs, outputs, attributes, dy }) => {
      const x = inputs[0]!
      const below = ops.less(x, spread(ops, outputs[0]!, x, attributes.axes))
      return [ops.where(below, ops.constant(0), spread(ops, dy, x, attributes.axes))]
    },
    reference: ([x], reduction) => [reduce(x!, reduction, -Infinity, Math.max)],
  }),
} satisfies Record<string, OpDefinition<never>>

/** Elements that a reduction merges into one. */
export function reducedSize(shape: readonly number[], axes: readonly number[]): number {
  return sizeOf(axes.map(axis => shape[axis]!))
}

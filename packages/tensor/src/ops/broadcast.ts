import { tensorErrors } from '../errors.ts'
import { sameShape, sizeOf, stridesOf, type Tensor } from '../graph/tensor.ts'
import type { TableOps } from './definition.ts'

/**
 * The shape that two operands take together, as in NumPy.
 *
 * @throws TENSOR_SHAPE when a pair of axes differs and neither is 1
 */
export function broadcastShape(op: string, a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length)
  return Array.from({ length: rank }, (_, axis) => {
    const left = a[axis - rank + a.length] ?? 1
    const right = b[axis - rank + b.length] ?? 1
    if (left !== right && left !== 1 && right !== 1) {
      throw tensorErrors.SHAPE({ op, reason: `[${a.join(', ')}] and [${b.join(', ')}] do not broadcast` })
    }
    return left === 1 ? right : left
  })
}

/** For every element of `target`, the flat index of the element of `shape` that is broadcast to it. */
export function broadcastIndices(shape: readonly number[], target: readonly number[]): Int32Array {
  const strides = stridesOf(shape)
  const lead = target.length - shape.length
  const steps = target.map((_, axis) => (axis < lead || shape[axis - lead] === 1 ? 0 : strides[axis - lead]!))
  const indices = new Int32Array(sizeOf(target))
  const position = target.map(() => 0)
  let source = 0
  for (let i = 0; i < indices.length; i++) {
    indices[i] = source
    for (let axis = target.length - 1; axis >= 0; axis--) {
      source += steps[axis]!
      if (++position[axis]! < target[axis]!) break
      source -= steps[axis]! * target[axis]!
      position[axis] = 0
    }
  }
  return indices
}

/** Sums a gradient over the axes along which its operand was broadcast, so that it has the operand's shape again. */
export function reduceToShape(ops: TableOps<Tensor>, dy: Tensor, shape: readonly number[]): Tensor {
  if (sameShape(dy.shape, shape)) return dy
  const lead = dy.shape.length - shape.length
  const axis = dy.shape.flatMap((length, i) => (i < lead || (shape[i - lead] === 1 && length !== 1) ? [i] : []))
  return ops.reshape(axis.length === 0 ? dy : ops.sum(dy, { axis, keepDims: true }), shape)
}

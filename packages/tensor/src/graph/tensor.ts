/**
 * Element types of the graph. Indices are `int32`; `int64` appears only where an ONNX operator demands it, `uint8` and
 * `float16` only as weights; `bfloat16` and `uint4` (two codes in a byte, the first in the lower bits) only as weights in a file
 * beside the graph.
 */
export type DType = 'float32' | 'int32' | 'int64' | 'bool' | 'uint8' | 'int8' | 'float16' | 'bfloat16' | 'uint4'

/** Shape (static) and element type of a value. */
export interface TensorType {
  readonly shape: readonly number[]
  readonly dtype: DType
}

/** A symbolic value of a graph: what a layer computes with when it is recorded. */
export interface Tensor extends TensorType {
  /** Position in the order of creation, unique in its graph. */
  readonly id: number
}

/** The arrays that hold values of each `DType` outside the graph (`bool` and `uint8` are one byte per element, `float16` and `bfloat16` their 16 bits). */
export type TypedArray = Float32Array | Int32Array | BigInt64Array | Uint8Array | Int8Array | Uint16Array

/** Counts the elements of a shape; the empty shape is a scalar, one element. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((size, length) => size * length, 1)
}

/** The array of each type. */
export const typedArrays = {
  float32: Float32Array,
  int32: Int32Array,
  int64: BigInt64Array,
  bool: Uint8Array,
  uint8: Uint8Array,
  int8: Int8Array,
  float16: Uint16Array,
  bfloat16: Uint16Array,
  uint4: Uint8Array,
} as const satisfies Record<DType, unknown>

/** Bytes of one element of each type. */
export const bytesPerElement: Readonly<Record<DType, number>> = {
  float32: 4,
  int32: 4,
  int64: 8,
  bool: 1,
  uint8: 1,
  int8: 1,
  float16: 2,
  bfloat16: 2,
  uint4: 0.5,
}

/** Tells whether two shapes are the same. */
export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((length, axis) => length === b[axis])
}

/** Row-major strides of a shape, in elements. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = Array.from(shape, () => 1)
  for (let axis = shape.length - 2; axis >= 0; axis--) strides[axis] = strides[axis + 1]! * shape[axis + 1]!
  return strides
}

/** Turns a negative axis (counted from the end) into one from the start. */
export function normalAxis(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis
}

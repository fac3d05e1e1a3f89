import { sizeOf, type TensorType, type TypedArray } from './graph/tensor.ts'
import { float16ToFloat32 } from './half-precision.ts'

/** The arrays of dense values: floats in float64 for accuracy (those of `float16` too), indices in int32, truth values in bytes. */
export type DenseData = Float64Array | Int32Array | BigInt64Array | Uint8Array | Int8Array

/** A value as numbers, row-major: what the reference arithmetic computes with. */
export interface Dense extends TensorType {
  readonly data: DenseData
}

/** Makes a float value from numbers. */
export function dense(values: ArrayLike<number>, shape: readonly number[]): Dense {
  return { shape, dtype: 'float32', data: Float64Array.from(values) }
}

/** Makes an index value from whole numbers. */
export function denseIndices(values: ArrayLike<number>, shape: readonly number[]): Dense {
  return { shape, dtype: 'int32', data: Int32Array.from(values) }
}

/** A float value of zeros. */
export function denseZeros(shape: readonly number[]): Dense & { data: Float64Array } {
  return { shape, dtype: 'float32', data: new Float64Array(sizeOf(shape)) }
}

/** Widens floats to the float64 that dense values hold. */
export function denseData(data: TypedArray): DenseData {
  if (data instanceof Uint16Array) return Float64Array.from(data, float16ToFloat32)
  return data instanceof Float32Array ? Float64Array.from(data) : data
}

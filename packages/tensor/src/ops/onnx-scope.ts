import type { DType, TypedArray } from '../graph/tensor.ts'

/** An attribute of an ONNX node: an integer, a list of integers, a string, or a float (wrapped, since 1 could be either). */
export type OnnxAttribute = number | readonly number[] | string | { readonly float: number }

/** Where the emitters of the operations write their ONNX nodes. */
export interface OnnxScope {
  /** Appends a node; '' among inputs or outputs means absent. */
  node(
    type: string,
    inputs: readonly string[],
    outputs: readonly string[],
    attributes?: Readonly<Record<string, OnnxAttribute>>,
    domain?: '' | 'com.microsoft',
  ): void
  /** Stores a constant and answers its name. */
  constant(data: TypedArray, shape: readonly number[], dtype: DType): string
  /** Stores a constant whose bytes are all one, and answers its name. */
  filled(byte: number, shape: readonly number[], dtype: 'uint8' | 'uint4'): string
  /** A fresh name for an intermediate value. */
  temporary(): string
}

/** An int64 vector, as ONNX wants shapes and axes. */
export function int64Vector(onnx: OnnxScope, values: readonly number[]): string {
  return onnx.constant(BigInt64Array.from(values, BigInt), [values.length], 'int64')
}

/** A float32 scalar. */
export function floatScalar(onnx: OnnxScope, value: number): string {
  return onnx.constant(Float32Array.of(value), [], 'float32')
}

/** Writes a node of one result and answers its name. */
export function result(
  onnx: OnnxScope,
  type: string,
  inputs: readonly string[],
  attributes?: Readonly<Record<string, OnnxAttribute>>,
  domain?: '' | 'com.microsoft',
): string {
  const name = onnx.temporary()
  onnx.node(type, inputs, [name], attributes, domain)
  return name
}

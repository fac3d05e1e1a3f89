import type { DType, TypedArray } from '../graph/tensor.ts'
import type { OnnxAttribute } from '../ops/onnx-scope.ts'

/** One operator of an ONNX graph; an empty input or output name means "absent". */
export interface OnnxNode {
  readonly type: string
  /** '' (the ONNX operators) or 'com.microsoft' (ONNX Runtime's own). */
  readonly domain?: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes?: Readonly<Record<string, OnnxAttribute>>
}

/** A named input or output with its shape; a length of -1 is left open for each run. */
export interface OnnxValue {
  readonly name: string
  readonly dtype: DType
  readonly shape: readonly number[]
}

/** A constant of the graph, stored in the model (`data`) or beside it (`external`: byte range of a named buffer). */
export interface OnnxInitializer extends OnnxValue {
  readonly data?: TypedArray
  readonly external?: { readonly location: string; readonly offsetBytes: number; readonly lengthBytes: number }
}

/** A whole model as plain data; `encodeModel` turns it into the bytes that ONNX Runtime loads. */
export interface OnnxModel {
  readonly nodes: readonly OnnxNode[]
  readonly inputs: readonly OnnxValue[]
  readonly outputs: readonly OnnxValue[]
  readonly initializers: readonly OnnxInitializer[]
}

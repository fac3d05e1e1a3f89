import { int64Vector, result, type OnnxScope } from './onnx-scope.ts'

/** Writes a view of `x` under another shape. */
export function reshaped(onnx: OnnxScope, x: string, shape: readonly number[]): string {
  return result(onnx, 'Reshape', [x, int64Vector(onnx, shape)])
}

/** Writes scale * a b, or scale * a bᵀ, over the last two axes. */
export function scaledProduct(
  onnx: OnnxScope,
  a: string,
  b: string,
  { transposeB = false, scale = 1 }: { readonly transposeB?: boolean; readonly scale?: number } = {},
): string {
  const attributes = { transA: 0, transB: transposeB ? 1 : 0, alpha: { float: scale } }
  return result(onnx, 'FusedMatMul', [a, b], attributes, 'com.microsoft')
}

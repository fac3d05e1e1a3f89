import { int64Vector, type OnnxScope } from '../onnx/onnx-scope.ts'

/** Writes a view of `x` under another shape. */
export function reshaped(onnx: OnnxScope, x: string, shape: readonly number[]): string {
  const name = onnx.temporary()
  onnx.node('Reshape', [x, int64Vector(onnx, shape)], [name])
  return name
}

/** Writes scale * a b, or scale * a bᵀ, over the last two axes. */
export function scaledProduct(
  onnx: OnnxScope,
  a: string,
  b: string,
  { transposeB = false, scale = 1 }: { readonly transposeB?: boolean; readonly scale?: number } = {},
): string {
  const name = onnx.temporary()
  const attributes = { transA: 0, transB: transposeB ? 1 : 0, alpha: { float: scale } }
  onnx.node('FusedMatMul', [a, b], [name], attributes, 'com.microsoft')
  return name
}

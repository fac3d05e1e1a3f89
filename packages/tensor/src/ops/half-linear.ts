import { tensorErrors } from '../errors.ts'
import { sizeOf } from '../graph/tensor.ts'
import { defineOp, type OpDefinition } from './definition.ts'
import { matmulOps } from './matmul.ts'

/** ONNX's number of an element type. */
const onnxType = { float32: 1, float16: 10 }

/**
 * y = x Wᵀ in half precision: inputs x float32 [N, I] and weights float16 [O, I], which are constants; the answer is float32.
 * Where the device has half-precision kernels, x and the answer are rounded too. For inference: it has no gradient.
 */
export const halfLinearOps = {
  HalfLinear: defineOp({
    infer: ([x, weights]) => {
      const [rows, inner] = x!.shape
      const [outer, width] = weights!.shape
      const fits =
        x!.shape.length === 2 && weights!.shape.length === 2 && inner === width && weights!.dtype === 'float16'
      if (fits) return [{ shape: [rows!, outer!], dtype: 'float32' }]
      const shapes = [x!, weights!].map(({ shape, dtype }) => `${dtype} [${shape.join(', ')}]`).join(', ')
      throw tensorErrors.SHAPE({ op: 'halfLinear', reason: `x and half-precision weights are ${shapes}` })
    },
    emit: (onnx, { inputs, outputs }) => {
      const [rounded, product] = [onnx.temporary(), onnx.temporary()]
      onnx.node('Cast', [inputs[0]!], [rounded], { to: onnxType.float16 })
      onnx.node('Gemm', [rounded, inputs[1]!], [product], { transB: 1 })
      onnx.node('Cast', [product], outputs, { to: onnxType.float32 })
    },
    flops: ([x, weights]) => 2 * x!.shape[0]! * sizeOf(weights!.shape),
    tfjs: (tf, [x, weights]) => [tf.matMul(x!, weights!, false, true)],
    reference: ([x, weights]) => matmulOps.Gemm.reference([x!, weights!], { transposeA: false, transposeB: true }),
  }),
} satisfies Record<string, OpDefinition<never>>

import type { Dense } from '../dense/dense.ts'
import { tensorErrors } from '../errors.ts'
import { sameShape } from '../graph/tensor.ts'
import { defineOp, type OpDefinition } from './definition.ts'
import { matmulOps } from './matmul.ts'

/** Weights that share a scale. */
const quantizationBlock = 32
const zeroPoint = 8

/**
 * y = x Wᵀ with W in four bits: inputs x [N, I], packed uint8 [O, I / 32, 16] and scales float32 [O, I / 32]. A weight is
 * scale * (code − 8); of the two codes in a byte the lower four bits come first. Activations are quantised to eight bits
 * by the runtime (accuracy level 4), which is what makes it fast. For inference: it has no gradient.
 */
export const quantizedLinearOps = {
  QuantizedLinear: defineOp({
    infer: ([x, packed, scales]) => {
      const [rows, inner] = x!.shape
      const [outer, blocks] = packed!.shape
      const fits =
        x!.shape.length === 2 &&
        inner === blocks! * quantizationBlock &&
        sameShape(packed!.shape, [outer!, blocks!, quantizationBlock / 2]) &&
        packed!.dtype === 'uint8' &&
        sameShape(scales!.shape, [outer!, blocks!])
      if (fits) return [{ shape: [rows!, outer!], dtype: 'float32' }]
      const shapes = [x!, packed!, scales!].map(({ shape, dtype }) => `${dtype} [${shape.join(', ')}]`).join(', ')
      throw tensorErrors.SHAPE({ op: 'quantizedLinear', reason: `x, packed weights and scales are ${shapes}` })
    },
    emit: (onnx, { inputs, outputs, inputTypes }) => {
      const [outer, blocks] = inputTypes[1]!.shape as readonly [number, number] // rank 3 by `infer`
      const sizes = { K: blocks * quantizationBlock, N: outer, bits: 4, block_size: quantizationBlock }
      onnx.node('MatMulNBits', inputs, outputs, { ...sizes, accuracy_level: 4 }, 'com.microsoft')
    },
    tfjs: (tf, [x, packed, scales]) => {
      const [outer, blocks] = packed!.shape as readonly [number, number] // rank 3 by `infer`
      const weights = unpacked(packed!.dataSync(), scales!.dataSync())
      return [
        tf.matMul(
          x!,
          tf.tensor(Float32Array.from(weights), [outer, blocks * quantizationBlock], 'float32'),
          false,
          true,
        ),
      ]
    },
    reference: ([x, packed, scales]) => {
      const [outer, blocks] = packed!.shape as readonly [number, number] // rank 3 by `infer`
      const weights = unpacked(packed!.data as Uint8Array, scales!.data as Float64Array) // types by `infer`
      const matrix: Dense = { shape: [outer, blocks * quantizationBlock], dtype: 'float32', data: weights }
      return matmulOps.Gemm.reference([x!, matrix], { transposeA: false, transposeB: true })
    },
  }),
} satisfies Record<string, OpDefinition<never>>

/** The weights, row by row. */
function unpacked(packed: ArrayLike<number>, scales: ArrayLike<number>): Float64Array {
  return Float64Array.from({ length: 2 * packed.length }, (_, at) => {
    const byte = packed[at >> 1]!
    return scales[Math.floor(at / quantizationBlock)]! * ((at % 2 === 0 ? byte & 15 : byte >> 4) - zeroPoint)
  })
}

import { denseZeros } from '../dense.ts'
import { tensorErrors } from '../errors.ts'
import { floatScalar, int64Vector, result } from './onnx-scope.ts'
import { defineOp, type OpDefinition } from './definition.ts'

const blockSize = 32
/** Codes of activations lie from −127 to 127. */
const largestCode = 127
/** Takes the place of a scale of 0: all of its block is 0. */
const smallestScale = 1e-30

/**
 * Sums over blocks of 32 of activations as the runtime's product with rounded weights rounds them: input x [N, I], result
 * [N, I / 32]. What is added to all weights of a block times the sum of its inputs must meet the same inputs as the codes do: with
 * the exact sum the two parts of a weight would not err alike (docs/log.md). For inference: it has no gradient.
 */
export const roundedBlockSumsOps = {
  RoundedBlockSums: defineOp({
    infer: ([x]) => {
      const [rows, inner] = x!.shape
      if (x!.shape.length === 2 && inner! % blockSize === 0)
        return [{ shape: [rows!, inner! / blockSize], dtype: 'float32' }]
      const reason = `[${x!.shape.join(', ')}] has no blocks of ${blockSize}`
      throw tensorErrors.SHAPE({ op: 'roundedBlockSums', reason })
    },
    emit: (onnx, { inputs, outputs, inputTypes }) => {
      const [, inner] = inputTypes[0]!.shape as readonly [number, number] // rank 2, by `infer`
      const blocks = result(onnx, 'Reshape', [inputs[0]!, int64Vector(onnx, [-1, inner / blockSize, blockSize])])
      const axis = int64Vector(onnx, [2])
      const largest = result(onnx, 'ReduceMax', [result(onnx, 'Abs', [blocks]), axis], { keepdims: 1 })
      const exact = result(onnx, 'Mul', [largest, floatScalar(onnx, 1 / largestCode)])
      const scale = result(onnx, 'Max', [exact, floatScalar(onnx, smallestScale)])
      const codes = result(onnx, 'Round', [result(onnx, 'Div', [blocks, scale])])
      const sums = result(onnx, 'ReduceSum', [codes, axis], { keepdims: 1 })
      const scaled = result(onnx, 'Mul', [sums, scale])
      onnx.node('Reshape', [scaled, int64Vector(onnx, [-1, inner / blockSize])], outputs)
    },
    tfjs: (tf, [x]) => {
      const [rows, inner] = x!.shape as readonly [number, number] // rank 2, by `infer`
      const sums = roundedSums(x!.dataSync(), rows * (inner / blockSize))
      return [tf.tensor(Float32Array.from(sums), [rows, inner / blockSize], 'float32')]
    },
    reference: ([x]) => {
      const [rows, inner] = x!.shape as readonly [number, number] // rank 2, by `infer`
      const sums = denseZeros([rows, inner / blockSize])
      sums.data.set(roundedSums(x!.data as Float64Array, sums.data.length)) // floats, by the graph
      return [sums]
    },
  }),
} satisfies Record<string, OpDefinition<never>>

function roundedSums(x: ArrayLike<number>, blocks: number): Float64Array {
  return Float64Array.from({ length: blocks }, (_, block) => {
    const values = Array.from({ length: blockSize }, (__, i) => x[block * blockSize + i]!)
    const scale = Math.max(smallestScale, Math.max(...values.map(Math.abs)) / largestCode)
    return scale * values.reduce((sum, value) => sum + Math.round(value / scale), 0)
  })
}

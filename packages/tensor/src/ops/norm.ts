import { denseZeros, type Dense } from '../dense/dense.ts'
import { tensorErrors } from '../errors.ts'
import { sizeOf, type Tensor, type TensorType } from '../graph/tensor.ts'
import { defineOp, type OpDefinition, type TableOps } from './definition.ts'

interface Norm {
  readonly epsilon: number
}

function inferNorm(op: string, x: TensorType, weights: readonly TensorType[], byProducts: number): TensorType[] {
  const width = x.shape.at(-1)
  for (const weight of weights) {
    if (weight.shape.length !== 1 || weight.shape[0] !== width) {
      throw tensorErrors.SHAPE({ op, reason: `a weight [${weight.shape.join(', ')}] does not fit rows of ${width}` })
    }
  }
  const statistic: TensorType = { shape: [...x.shape.slice(0, -1), 1], dtype: 'float32' }
  return [{ shape: x.shape, dtype: 'float32' }, ...Array.from({ length: byProducts }, () => statistic)]
}

/** Sum over all rows, as a product with ones: faster than ReduceSum over the first axis. */
function sumOfRows(ops: TableOps<Tensor>, x: Tensor): Tensor {
  const width = x.shape.at(-1)!
  const rows = sizeOf(x.shape) / width
  const ones = ops.constant(new Float32Array(rows).fill(1), [1, rows])
  const total = ops.apply('Gemm', [ones, ops.reshape(x, [rows, width])], { transposeA: false, transposeB: false })[0]!
  return ops.reshape(total, [width])
}

/** dx of y = xHat * weight given d = dy * weight; `centred` adds the term of the mean (layer norm). */
function normGradient(ops: TableOps<Tensor>, d: Tensor, xHat: Tensor, inverse: Tensor, centred: boolean): Tensor {
  const last = { axis: -1, keepDims: true } as const
  const along = ops.mul(xHat, ops.mean(ops.mul(d, xHat), last))
  const inner = ops.sub(centred ? ops.sub(d, ops.mean(d, last)) : d, along)
  return ops.mul(inner, inverse)
}

interface RowStatistics {
  readonly mean: number
  readonly inverse: number
}

function normalise(
  x: Dense,
  weight: Dense | undefined,
  bias: Dense | undefined,
  statistics: (row: Float64Array) => RowStatistics,
) {
  const width = x.shape.at(-1)!
  const result = denseZeros(x.shape)
  const perRow = [denseZeros([...x.shape.slice(0, -1), 1]), denseZeros([...x.shape.slice(0, -1), 1])] as const
  for (let row = 0; row < x.data.length / width; row++) {
    const values = x.data.subarray(row * width, (row + 1) * width) as Float64Array // norms take floats
    const { mean, inverse } = statistics(values)
    perRow[0].data[row] = mean
    perRow[1].data[row] = inverse
    values.forEach((value, i) => {
      const scaled = (value - mean) * inverse * (weight ? Number(weight.data[i]) : 1)
      result.data[row * width + i] = scaled + (bias ? Number(bias.data[i]) : 0)
    })
  }
  return { result, mean: perRow[0], inverse: perRow[1] }
}

const meanOf = (row: Float64Array, f: (value: number) => number): number =>
  row.reduce((sum, value) => sum + f(value), 0) / row.length

/** Normalisations over the last axis. By-products: the mean (layer norm) and the inverse deviation. */
export const normOps = {
  /** Inputs x, weight; results y, inverse root mean square. */
  RmsNorm: defineOp<Norm>({
    infer: ([x, weight]) => inferNorm('rmsNorm', x!, [weight!], 1),
    tfjs: (tf, [x, weight], { epsilon }) => {
      const inverse = tf.rsqrt(tf.add(tf.mean(tf.mul(x!, x!), -1, true), epsilon))
      return [tf.mul(tf.mul(x!, inverse), weight!), inverse]
    },
    emit: (onnx, { inputs, outputs, attributes: { epsilon } }) =>
      onnx.node('SimplifiedLayerNormalization', inputs, outputs, {
        axis: -1,
        epsilon: { float: epsilon },
        stash_type: 1,
      }),
    vjp: (ops, { inputs, outputs, dy, wanted }) => {
      const [x, weight, inverse] = [inputs[0]!, inputs[1]!, outputs[1]!]
      const xHat = ops.mul(x, inverse)
      return [
        wanted[0] ? normGradient(ops, ops.mul(dy, weight), xHat, inverse, false) : undefined,
        wanted[1] ? sumOfRows(ops, ops.mul(dy, xHat)) : undefined,
      ]
    },
    reference: ([x, weight], { epsilon }) => {
      const { result, inverse } = normalise(x!, weight, undefined, row => ({
        mean: 0,
        inverse: 1 / Math.sqrt(meanOf(row, value => value * value) + epsilon),
      }))
      return [result, inverse]
    },
  }),
  /** Inputs x, weight, bias; results y, mean, inverse deviation. */
  LayerNorm: defineOp<Norm>({
    infer: ([x, weight, bias]) => inferNorm('layerNorm', x!, [weight!, bias!], 2),
    tfjs: (tf, [x, weight, bias], { epsilon }) => {
      const mean = tf.mean(x!, -1, true)
      const centred = tf.sub(x!, mean)
      const inverse = tf.rsqrt(tf.add(tf.mean(tf.mul(centred, centred), -1, true), epsilon))
      return [tf.add(tf.mul(tf.mul(centred, inverse), weight!), bias!), mean, inverse]
    },
    emit: (onnx, { inputs, outputs, attributes: { epsilon } }) =>
      onnx.node('LayerNormalization', inputs, outputs, { axis: -1, epsilon: { float: epsilon }, stash_type: 1 }),
    vjp: (ops, { inputs, outputs, dy, wanted }) => {
      const [x, weight, mean, inverse] = [inputs[0]!, inputs[1]!, outputs[1]!, outputs[2]!]
      const xHat = ops.mul(ops.sub(x, mean), inverse)
      return [
        wanted[0] ? normGradient(ops, ops.mul(dy, weight), xHat, inverse, true) : undefined,
        wanted[1] ? sumOfRows(ops, ops.mul(dy, xHat)) : undefined,
        wanted[2] ? sumOfRows(ops, dy) : undefined,
      ]
    },
    reference: ([x, weight, bias], { epsilon }) => {
      const { result, mean, inverse } = normalise(x!, weight, bias, row => {
        const centre = meanOf(row, value => value)
        return { mean: centre, inverse: 1 / Math.sqrt(meanOf(row, value => (value - centre) ** 2) + epsilon) }
      })
      return [result, mean, inverse]
    },
  }),
} satisfies Record<string, OpDefinition<never>>

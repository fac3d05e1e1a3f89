import { denseZeros, type Dense } from '../dense.ts'
import { tensorErrors } from '../errors.ts'
import { sizeOf, type Tensor, type TensorType } from '../graph/tensor.ts'
import type { OnnxScope } from './onnx-scope.ts'
import { defineOp, type OpDefinition, type TableOps } from './definition.ts'
import type { OpAttributes } from './op-attributes.ts'

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

/** Σ over all rows of factor × row, as a product: faster than ReduceSum over the first axis. */
function sumOfRows(ops: TableOps<Tensor>, x: Tensor, factors?: Tensor): Tensor {
  const width = x.shape.at(-1)!
  const rows = sizeOf(x.shape) / width
  const left = factors ? ops.reshape(factors, [1, rows]) : ops.constant(new Float32Array(rows).fill(1), [1, rows])
  const total = ops.apply('Gemm', [left, ops.reshape(x, [rows, width])], { transposeA: false, transposeB: false })[0]!
  return ops.reshape(total, [width])
}

/**
 * Gradients of y = x r w with r = 1 / sqrt(mean(x²) + ε), in five passes over the rows (D wide):
 *
 *     dx = r (dy w − x r² Σ(dy x w) / D)          dw = Σ_rows r dy x
 */
function rmsNormGradients(
  ops: TableOps<Tensor>,
  { x, weight, inverse, dy }: { x: Tensor; weight: Tensor; inverse: Tensor; dy: Tensor },
): readonly [() => Tensor, () => Tensor] {
  const width = x.shape.at(-1)!
  const product = ops.mul(dy, x)
  const dx = (): Tensor => {
    const column = ops.reshape(ops.mul(weight, ops.constant(1 / width)), [width, 1])
    const rows = ops.reshape(product, [sizeOf(x.shape) / width, width])
    const mean = ops.reshape(
      ops.apply('Gemm', [rows, column], { transposeA: false, transposeB: false })[0]!,
      inverse.shape,
    )
    const along = ops.mul(mean, ops.mul(inverse, inverse))
    return ops.mul(ops.sub(ops.mul(dy, weight), ops.mul(x, along)), inverse)
  }
  return [dx, () => sumOfRows(ops, product, inverse)]
}

/** dx of layer norm's y = xHat * weight + bias given d = dy * weight. */
function layerNormGradient(ops: TableOps<Tensor>, d: Tensor, xHat: Tensor, inverse: Tensor): Tensor {
  const last = { axis: -1, keepDims: true } as const
  const along = ops.mul(xHat, ops.mean(ops.mul(d, xHat), last))
  return ops.mul(ops.sub(ops.sub(d, ops.mean(d, last)), along), inverse)
}

/** The operator makes its first output even where only the statistics are read. */
function withFirst(onnx: OnnxScope, [first, ...rest]: readonly string[]): string[] {
  return [first || onnx.temporary(), ...rest]
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
  RmsNorm: defineOp<OpAttributes['RmsNorm']>({
    infer: ([x, weight]) => inferNorm('rmsNorm', x!, [weight!], 1),
    tfjs: (tf, [x, weight], { epsilon }) => {
      const inverse = tf.rsqrt(tf.add(tf.mean(tf.mul(x!, x!), -1, true), epsilon))
      return [tf.mul(tf.mul(x!, inverse), weight!), inverse]
    },
    emit: (onnx, { inputs, outputs, attributes: { epsilon } }) =>
      onnx.node('SimplifiedLayerNormalization', inputs, withFirst(onnx, outputs), {
        axis: -1,
        epsilon: { float: epsilon },
        stash_type: 1,
      }),
    vjp: (ops, { inputs, outputs, dy, wanted }) => {
      const [x, weight, inverse] = [inputs[0]!, inputs[1]!, outputs[1]!]
      const [dx, dWeight] = rmsNormGradients(ops, { x, weight, inverse, dy })
      return [wanted[0] ? dx() : undefined, wanted[1] ? dWeight() : undefined]
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
  LayerNorm: defineOp<OpAttributes['LayerNorm']>({
    infer: ([x, weight, bias]) => inferNorm('layerNorm', x!, [weight!, bias!], 2),
    tfjs: (tf, [x, weight, bias], { epsilon }) => {
      const mean = tf.mean(x!, -1, true)
      const centred = tf.sub(x!, mean)
      const inverse = tf.rsqrt(tf.add(tf.mean(tf.mul(centred, centred), -1, true), epsilon))
      return [tf.add(tf.mul(tf.mul(centred, inverse), weight!), bias!), mean, inverse]
    },
    emit: (onnx, { inputs, outputs, attributes: { epsilon } }) =>
      onnx.node('LayerNormalization', inputs, withFirst(onnx, outputs), {
        axis: -1,
        epsilon: { float: epsilon },
        stash_type: 1,
      }),
    vjp: (ops, { inputs, outputs, dy, wanted }) => {
      const [x, weight, mean, inverse] = [inputs[0]!, inputs[1]!, outputs[1]!, outputs[2]!]
      const xHat = ops.mul(ops.sub(x, mean), inverse)
      return [
        wanted[0] ? layerNormGradient(ops, ops.mul(dy, weight), xHat, inverse) : undefined,
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

import { denseZeros, type Dense } from '../dense.ts'
import { tensorErrors } from '../errors.ts'
import { sameShape, sizeOf, type TensorType } from '../graph/tensor.ts'
import { defineOp, type OpDefinition } from './definition.ts'
import type { OpAttributes } from './op-attributes.ts'

function productShape(
  op: string,
  a: TensorType,
  b: TensorType,
  { transposeA, transposeB }: OpAttributes['MatMul'],
): number[] {
  const [lead, leadB] = [a.shape.slice(0, -2), b.shape.slice(0, -2)]
  const [rows, inner] = transposeA ? [a.shape.at(-1), a.shape.at(-2)] : [a.shape.at(-2), a.shape.at(-1)]
  const [innerB, columns] = transposeB ? [b.shape.at(-1), b.shape.at(-2)] : [b.shape.at(-2), b.shape.at(-1)]
  if (rows === undefined || columns === undefined || inner !== innerB || !sameShape(lead, leadB)) {
    const [left, right] = [a, b].map(x => `[${x.shape.join(', ')}]`)
    throw tensorErrors.SHAPE({
      op,
      reason: `${left}${transposeA ? 'ᵀ' : ''} and ${right}${transposeB ? 'ᵀ' : ''} cannot be multiplied`,
    })
  }
  return [...lead, rows, columns]
}

function productFlops(a: TensorType, b: TensorType, product: OpAttributes['MatMul']): number {
  const inner = product.transposeA ? a.shape.at(-2)! : a.shape.at(-1)!
  return 2 * inner * sizeOf(productShape('matmul', a, b, product))
}

function multiply(a: Dense, b: Dense, product: OpAttributes['MatMul']): Dense & { data: Float64Array } {
  const shape = productShape('matmul', a, b, product)
  const result = denseZeros(shape)
  const [rows, columns] = [shape.at(-2)!, shape.at(-1)!]
  const inner = product.transposeA ? a.shape.at(-2)! : a.shape.at(-1)!
  const [aRow, aInner] = product.transposeA ? [1, rows] : [inner, 1]
  const [bInner, bColumn] = product.transposeB ? [1, inner] : [columns, 1]
  for (let batch = 0; batch < sizeOf(shape.slice(0, -2)); batch++) {
    const [atA, atB, at] = [batch * rows * inner, batch * inner * columns, batch * rows * columns]
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++) {
        let sum = 0
        for (let k = 0; k < inner; k++) {
          sum += Number(a.data[atA + i * aRow + k * aInner]) * Number(b.data[atB + k * bInner + j * bColumn])
        }
        result.data[at + i * columns + j] = product.scale * sum
      }
    }
  }
  return result
}

/** Products. `Gemm` is the two-dimensional one with an optional bias row, the fastest on every provider. */
export const matmulOps = {
  Gemm: defineOp<OpAttributes['Gemm']>({
    isProduct: true,
    infer: ([a, b, bias], attributes) => {
      const shape = productShape('linear', a!, b!, { ...attributes, scale: 1 })
      if (bias && !sameShape(bias.shape, [shape[1]!])) {
        throw tensorErrors.SHAPE({
          op: 'linear',
          reason: `a bias [${bias.shape.join(', ')}] does not fit ${shape[1]} outputs`,
        })
      }
      return [{ shape, dtype: 'float32' }]
    },
    emit: (onnx, { inputs, outputs, attributes: { transposeA, transposeB } }) =>
      onnx.node('Gemm', inputs, outputs, { transA: transposeA ? 1 : 0, transB: transposeB ? 1 : 0 }),
    tfjs: (tf, [a, b, bias], { transposeA, transposeB }) => {
      const product = tf.matMul(a!, b!, transposeA, transposeB)
      return [bias ? tf.add(product, bias) : product]
    },
    flops: ([a, b], attributes) => productFlops(a!, b!, { ...attributes, scale: 1 }),
    vjp: (ops, { inputs, attributes, dy, wanted }) => {
      const [a, b] = [inputs[0]!, inputs[1]!]
      const gemm = (x: typeof a, y: typeof a, transposeA: boolean, transposeB: boolean) =>
        ops.apply('Gemm', [x, y], { transposeA, transposeB })[0]!
      const { transposeA: ta, transposeB: tb } = attributes
      const da = wanted[0] ? (ta ? gemm(b, dy, tb, true) : gemm(dy, b, false, !tb)) : undefined
      const db = wanted[1] ? (tb ? gemm(dy, a, true, ta) : gemm(a, dy, !ta, false)) : undefined
      return [da, db, wanted[2] ? ops.sum(dy, { axis: 0 }) : undefined]
    },
    reference: ([a, b, bias], attributes) => {
      const result = multiply(a!, b!, { ...attributes, scale: 1 })
      const columns = result.shape[1]!
      if (bias) result.data.forEach((value, i) => (result.data[i] = value + Number(bias.data[i % columns])))
      return [result]
    },
  }),
  MatMul: defineOp<OpAttributes['MatMul']>({
    isProduct: true,
    infer: ([a, b], product) => [{ shape: productShape('matmul', a!, b!, product), dtype: 'float32' }],
    emit: (onnx, { inputs, outputs, attributes: { transposeA, transposeB, scale } }) =>
      onnx.node(
        'FusedMatMul',
        inputs,
        outputs,
        { transA: transposeA ? 1 : 0, transB: transposeB ? 1 : 0, alpha: { float: scale } },
        'com.microsoft',
      ),
    tfjs: (tf, [a, b], { transposeA, transposeB, scale }) => [tf.mul(tf.matMul(a!, b!, transposeA, transposeB), scale)],
    flops: ([a, b], product) => productFlops(a!, b!, product),
    vjp: (ops, { inputs, attributes: { transposeA: ta, transposeB: tb, scale }, dy, wanted }) => {
      const [a, b] = [inputs[0]!, inputs[1]!]
      const product = (x: typeof a, y: typeof a, transposeA: boolean, transposeB: boolean) =>
        ops.matmul(x, y, { transposeA, transposeB, scale })
      return [
        wanted[0] ? (ta ? product(b, dy, tb, true) : product(dy, b, false, !tb)) : undefined,
        wanted[1] ? (tb ? product(dy, a, true, ta) : product(a, dy, !ta, false)) : undefined,
      ]
    },
    reference: ([a, b], product) => [multiply(a!, b!, product)],
  }),
} satisfies Record<string, OpDefinition<never>>

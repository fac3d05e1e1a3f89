import type { Dense } from '../dense.ts'
import { tensorErrors } from '../errors.ts'
import { sameShape, type TensorType } from '../graph/tensor.ts'
import { int64Vector, result, type OnnxScope } from './onnx-scope.ts'
import { defineOp, type OpDefinition } from './definition.ts'
import type { OpAttributes } from './op-attributes.ts'
import { matmulOps } from './matmul.ts'
import type { Tf, TfTensor } from './tf.ts'

/** The code that stands for zero. */
const zeroCodes = { uint4: 8, uint8: 128 } as const

/** ONNX's number of float32, and of int64. */
const onnxFloat = 1
const onnxInt64 = 7

function fits(values: TensorType, scales: TensorType | undefined, inner: number): boolean {
  const [outer, width] = values.shape
  if (values.shape.length !== 2) return false
  if (!scales) return width === inner && (values.dtype === 'float32' || values.dtype === 'bfloat16')
  const [, blocks] = scales.shape
  const blockSize = width! / blocks!
  const isCoded = values.dtype === 'uint4' || values.dtype === 'uint8'
  return isCoded && blocks === Math.ceil(inner / blockSize) && sameShape(scales.shape, [outer!, blocks])
}

function fail(op: string, inputs: readonly TensorType[]): Error {
  const shapes = inputs.map(({ shape, dtype }) => `${dtype} [${shape.join(', ')}]`).join(', ')
  return tensorErrors.SHAPE({ op, reason: `the operands are ${shapes}` })
}

/** Operands by their meaning. */
function named<T>([x, values, ...rest]: readonly T[], { hasScales }: OpAttributes['Widen']) {
  return { x: x!, values: values!, scales: hasScales ? rest[0] : undefined, bias: rest[hasScales ? 1 : 0] }
}

/**
 * Products with matrices that stay as they are stored. Widened to float32 they live for one product, forward and backward; nothing
 * else of that size is ever in memory. W: float32 or bfloat16 [O, I], or codes uint4 or uint8 [O, blocks * size of a block] with
 * float32 scales [O, blocks], a weight being scale * (code − 8 or 128).
 */
export const storedMatrixOps = {
  /** y = x Wᵀ + b: inputs x [N, I], W (and its scales), then the bias [O] where there is one; transposed x W, x [N, O]. */
  StoredLinear: defineOp<OpAttributes['StoredLinear']>({
    isProduct: true,
    infer: (inputs, attributes) => {
      const { x, values, scales, bias } = named(inputs, attributes)
      const { inner, isTransposed } = attributes
      const outer = values.shape[0]!
      const [from, to] = isTransposed ? [outer, inner] : [inner, outer]
      const hasFitting = x.shape.length === 2 && x.shape[1] === from && (!bias || sameShape(bias.shape, [to]))
      if (hasFitting && fits(values, scales, inner)) return [{ shape: [x.shape[0]!, to], dtype: 'float32' }]
      throw fail('storedLinear', inputs)
    },
    emit: (onnx, { inputs, outputs, inputTypes, attributes }) => {
      const { x, values, scales, bias } = named(inputs, attributes)
      const [, type, scalesType] = inputTypes
      const matrix = widened(onnx, { values, scales, type: type!, scalesType, inner: attributes.inner, after: x })
      const operands = bias === undefined ? [x, matrix] : [x, matrix, bias]
      onnx.node('Gemm', operands, outputs, { transB: attributes.isTransposed ? 0 : 1 })
    },
    flops: ([x, values], { inner }) => 2 * x!.shape[0]! * values!.shape[0]! * inner,
    tfjs: (tf, inputs, attributes) => {
      const { x, values, scales, bias } = named(inputs, attributes)
      const product = tf.matMul(x, tfWidened(tf, values, scales, attributes.inner), false, !attributes.isTransposed)
      return [bias ? tf.add(product, bias) : product]
    },
    vjp: (ops, { inputs, attributes, dy, wanted }) => {
      const { values, scales, bias } = named(inputs, attributes)
      const turned = { ...attributes, isTransposed: !attributes.isTransposed }
      const dx = wanted[0]
        ? ops.apply('StoredLinear', [dy, values, ...(scales ? [scales] : [])], turned)[0]!
        : undefined
      const own = [dx, ...inputs.slice(1).map(() => undefined)]
      return bias && wanted.at(-1) ? [...own.slice(0, -1), ops.sum(dy, { axis: 0 })] : own
    },
    reference: (inputs, attributes) => {
      const { x, values, scales, bias } = named(inputs, attributes)
      const matrix = referenceMatrix(values, scales, attributes.inner)
      const gemm = { transposeA: false, transposeB: !attributes.isTransposed }
      return matmulOps.Gemm.reference(bias ? [x, matrix, bias] : [x, matrix], gemm)
    },
  }),
  /** W as float32 [O, I]: inputs W (and its scales). No gradient flows through it. */
  Widen: defineOp<OpAttributes['Widen']>({
    infer: (inputs, { inner, hasScales }) => {
      const [values, scales] = inputs
      if (!fits(values!, hasScales ? scales : undefined, inner)) throw fail('widen', inputs)
      return [{ shape: [values!.shape[0]!, inner], dtype: 'float32' }]
    },
    emit: (onnx, { inputs: [values, scales], outputs, inputTypes, attributes: { inner } }) => {
      const [type, scalesType] = inputTypes
      const matrix = widened(onnx, { values: values!, scales, type: type!, scalesType, inner, after: undefined })
      onnx.node('Identity', [matrix], outputs)
    },
    tfjs: (tf, [values, scales], { inner }) => [tfWidened(tf, values!, scales, inner)],
    reference: ([values, scales], { inner }) => [referenceMatrix(values!, scales, inner)],
  }),
} satisfies Record<string, OpDefinition<never>>

/** A stored matrix in a model, and the value behind which it is widened. */
interface Widening {
  readonly values: string
  readonly scales: string | undefined
  readonly type: TensorType
  /** Of the scales, where there are any. */
  readonly scalesType: TensorType | undefined
  readonly inner: number
  readonly after: string | undefined
}

/** Writes a matrix as float32 [O, I]. */
function widened(onnx: OnnxScope, { values, scales, type, scalesType, inner, after }: Widening): string {
  const { dtype, shape } = type
  const [, width] = shape as readonly [number, number] // of a matrix
  if (dtype === 'float32') return values
  if (scales === undefined || scalesType === undefined)
    return result(onnx, 'Cast', [late(onnx, values, shape, after)], { to: onnxFloat })
  const sizes = scalesType.shape
  const coded = dtype as keyof typeof zeroCodes // of the two, by `infer`
  const zero = onnx.filled(coded === 'uint4' ? 0x88 : zeroCodes.uint8, sizes, coded)
  const operands = [values, late(onnx, scales, sizes, after), zero]
  const matrix = result(onnx, 'DequantizeLinear', operands, { axis: 1, block_size: width / sizes[1]! })
  if (width === inner) return matrix
  return result(onnx, 'Slice', [matrix, ...[0, inner, 1].map(each => int64Vector(onnx, [each]))])
}

/**
 * A stored value behind another one: given its own shape, which is computed from that other. Without it the runtime would compute
 * what depends on weights alone first, and keep all of it until it is needed.
 */
function late(onnx: OnnxScope, stored: string, shape: readonly number[], after: string | undefined): string {
  if (after === undefined) return stored
  const first = result(onnx, 'Slice', [after, int64Vector(onnx, [0, 0]), int64Vector(onnx, [1, 1])])
  const never = result(onnx, 'Cast', [result(onnx, 'Less', [first, first])], { to: onnxInt64 })
  const zero = result(onnx, 'Reshape', [never, int64Vector(onnx, [-1])])
  return result(onnx, 'Reshape', [stored, result(onnx, 'Add', [int64Vector(onnx, shape), zero])])
}

/** Values that are numbers already: a dense one of codes has one number per code. */
function referenceMatrix(values: Dense, scales: Dense | undefined, inner: number): Dense {
  const [outer, width] = values.shape as readonly [number, number] // of a matrix
  const numbers = values.data as Float64Array | Uint8Array // by `infer`
  const zero = values.dtype === 'uint4' ? zeroCodes.uint4 : zeroCodes.uint8
  const blocks = scales?.shape[1] ?? 1
  const blockSize = width / blocks
  const weightAt = (row: number, column: number): number => {
    const value = numbers[row * width + column]!
    return scales ? Number(scales.data[row * blocks + Math.floor(column / blockSize)]) * (value - zero) : value
  }
  const data = Float64Array.from({ length: outer * inner }, (_, i) => weightAt(Math.floor(i / inner), i % inner))
  return { shape: [outer, inner], dtype: 'float32', data }
}

/** TensorFlow.js has no files beside a graph: it is fed with numbers, one per code. */
function tfWidened(tf: Tf, values: TfTensor, scales: TfTensor | undefined, inner: number): TfTensor {
  if (!scales) return tf.add(values, 0)
  const numbers = { shape: values.shape, dtype: 'uint8', data: values.dataSync() as Uint8Array } as const // never of floats
  const { shape, data } = referenceMatrix(
    numbers,
    { shape: scales.shape, dtype: 'float32', data: Float64Array.from(scales.dataSync()) },
    inner,
  )
  return tf.tensor(Float32Array.from(data as Float64Array), shape, 'float32')
}

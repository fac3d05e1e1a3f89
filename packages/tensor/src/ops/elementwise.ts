import type { Dense, DenseData } from '../dense.ts'
import { tensorErrors } from '../errors.ts'
import { sameShape, sizeOf, type DType, type Tensor } from '../graph/tensor.ts'
import type { OnnxScope } from './onnx-scope.ts'
import { broadcastIndices, broadcastShape, reduceToShape } from './broadcast.ts'
import { defineOp, type OpDefinition, type TableOps } from './definition.ts'
import type { OpAttributes } from './op-attributes.ts'
import type { Tf, TfTensor } from './tf.ts'

interface BinaryGradient {
  readonly a: Tensor
  readonly b: Tensor
  readonly y: Tensor
  readonly dy: Tensor
}
type BinaryRule = (ops: TableOps<Tensor>, values: BinaryGradient) => readonly [Tensor, Tensor]
type UnaryRule = (ops: TableOps<Tensor>, values: { x: Tensor; y: Tensor; dy: Tensor }) => Tensor

/** The binary operations by their ONNX name, and the functions of TensorFlow.js. */
const tfBinary = { Add: 'add', Sub: 'sub', Mul: 'mul', Div: 'div', Min: 'minimum', Max: 'maximum' } as const

/** A binary operation that broadcasts; its rule answers gradients of the broadcast shape. */
function binary(
  type: keyof typeof tfBinary,
  compute: (a: number, b: number) => number,
  rule: BinaryRule,
): OpDefinition {
  return defineOp({
    infer: ([a, b]) => [{ shape: broadcastShape(type, a!.shape, b!.shape), dtype: a!.dtype }],
    emit: (onnx, { inputs, outputs }) => onnx.node(type, inputs, outputs),
    tfjs: (tf, [a, b]) => [tf[tfBinary[type]](a!, b!)],
    vjp: (ops, { inputs, outputs, dy, wanted }) => {
      const [a, b] = inputs as readonly [Tensor, Tensor] // `infer` took two
      const [da, db] = rule(ops, { a, b, y: outputs[0]!, dy })
      return [
        wanted[0] ? reduceToShape(ops, da, a.shape) : undefined,
        wanted[1] ? reduceToShape(ops, db, b.shape) : undefined,
      ]
    },
    reference: ([a, b]) => {
      const shape = broadcastShape(type, a!.shape, b!.shape)
      const [left, right] = [broadcastIndices(a!.shape, shape), broadcastIndices(b!.shape, shape)]
      const data = emptyLike(a!.dtype, sizeOf(shape))
      for (let i = 0; i < left.length; i++) {
        data[i] = compute(Number(a!.data[left[i]!]), Number(b!.data[right[i]!]))
      }
      return [{ shape, dtype: a!.dtype, data }]
    },
  })
}

function unary(
  compute: (x: number) => number,
  emit: (onnx: OnnxScope, x: string, y: string) => void,
  tfjs: (tf: Tf, x: TfTensor) => TfTensor,
  rule: UnaryRule,
): OpDefinition {
  return defineOp({
    infer: ([x]) => [{ shape: x!.shape, dtype: 'float32' }],
    emit: (onnx, { inputs, outputs }) => emit(onnx, inputs[0]!, outputs[0]!),
    tfjs: (tf, [x]) => [tfjs(tf, x!)],
    vjp: (ops, { inputs, outputs, dy }) => [rule(ops, { x: inputs[0]!, y: outputs[0]!, dy })],
    reference: ([x]) => [
      { shape: x!.shape, dtype: 'float32', data: Float64Array.from(x!.data as Float64Array, compute) },
    ], // unary operations take floats
  })
}

const node =
  (type: string) =>
  (onnx: OnnxScope, x: string, y: string): void =>
    onnx.node(type, [x], [y])

function emptyLike(dtype: DType, length: number): Float64Array | Int32Array {
  return dtype === 'int32' ? new Int32Array(length) : new Float64Array(length)
}

/** Abramowitz and Stegun's series 7.1.5 and a continued fraction: the error function in float64. */
export function erf(x: number): number {
  const z = Math.abs(x)
  if (z > 6) return Math.sign(x)
  if (z < 3) {
    let term = z
    let sum = z
    for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
      term *= (-z * z) / n
      sum += term / (2 * n + 1)
      if (n > 200) break
    }
    return (Math.sign(x) * 2 * sum) / Math.sqrt(Math.PI)
  }
  let fraction = 0
  for (let k = 60; k > 0; k--) fraction = k / 2 / (z + fraction)
  return Math.sign(x) * (1 - Math.exp(-z * z) / ((z + fraction) * Math.sqrt(Math.PI)))
}

/** Elementwise operations and their derivatives. */
export const elementwiseOps = {
  Add: binary(
    'Add',
    (a, b) => a + b,
    (_ops, { dy }) => [dy, dy],
  ),
  Sub: binary(
    'Sub',
    (a, b) => a - b,
    (ops, { dy }) => [dy, ops.neg(dy)],
  ),
  Mul: binary(
    'Mul',
    (a, b) => a * b,
    (ops, { a, b, dy }) => [ops.mul(dy, b), ops.mul(dy, a)],
  ),
  Div: binary(
    'Div',
    (a, b) => a / b,
    (ops, { b, y, dy }) => {
      const da = ops.div(dy, b)
      return [da, ops.neg(ops.mul(da, y))]
    },
  ),
  // Of equal operands the first one takes the gradient.
  Min: binary('Min', Math.min, (ops, { a, b, dy }) => split(ops, ops.less(b, a), dy)),
  Max: binary('Max', Math.max, (ops, { a, b, dy }) => split(ops, ops.less(a, b), dy)),
  Neg: unary(
    x => -x,
    node('Neg'),
    (tf, x) => tf.neg(x),
    (ops, { dy }) => ops.neg(dy),
  ),
  Exp: unary(
    Math.exp,
    node('Exp'),
    (tf, x) => tf.exp(x),
    (ops, { y, dy }) => ops.mul(dy, y),
  ),
  Log: unary(
    Math.log,
    node('Log'),
    (tf, x) => tf.log(x),
    (ops, { x, dy }) => ops.div(dy, x),
  ),
  Sqrt: unary(
    Math.sqrt,
    node('Sqrt'),
    (tf, x) => tf.sqrt(x),
    (ops, { y, dy }) => ops.div(ops.mul(dy, ops.constant(0.5)), y),
  ),
  Rsqrt: unary(
    x => 1 / Math.sqrt(x),
    (onnx, x, y) => {
      const root = onnx.temporary()
      onnx.node('Sqrt', [x], [root])
      onnx.node('Reciprocal', [root], [y])
    },
    (tf, x) => tf.rsqrt(x),
    (ops, { y, dy }) => ops.mul(ops.mul(dy, ops.constant(-0.5)), ops.mul(y, ops.mul(y, y))),
  ),
  Abs: unary(
    Math.abs,
    node('Abs'),
    (tf, x) => tf.abs(x),
    // The sign of x, 0 at 0, as PyTorch: half of the one-sided slopes.
    (ops, { x, dy }) => {
      const zero = ops.constant(0)
      return ops.where(ops.less(x, zero), ops.neg(dy), ops.where(ops.less(zero, x), dy, zero))
    },
  ),
  Sigmoid: unary(
    sigmoid,
    emitSigmoid,
    (tf, x) => tf.sigmoid(x),
    (ops, { y, dy }) => ops.mul(dy, ops.sub(y, ops.mul(y, y))),
  ),
  Tanh: unary(
    Math.tanh,
    node('Tanh'),
    (tf, x) => tf.tanh(x),
    (ops, { y, dy }) => ops.mul(dy, ops.sub(ops.constant(1), ops.mul(y, y))),
  ),
  Erf: unary(
    erf,
    node('Erf'),
    (tf, x) => tf.erf(x),
    (ops, { x, dy }) => ops.mul(dy, ops.mul(ops.constant(2 / Math.sqrt(Math.PI)), ops.exp(ops.neg(ops.mul(x, x))))),
  ),
  Silu: unary(
    x => x * sigmoid(x),
    emitSilu,
    (tf, x) => tf.mul(x, tf.sigmoid(x)),
    (ops, { x, dy }) => ops.mul(dy, siluSlope(ops, x, ops.sigmoid(x))),
  ),
  Gelu: unary(
    x => 0.5 * x * (1 + erf(x / Math.SQRT2)),
    (onnx, x, y) => onnx.node('Gelu', [x], [y], {}, 'com.microsoft'),
    (tf, x) => tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1)),
    (ops, { x, dy }) => {
      const cumulative = ops.mul(
        ops.constant(0.5),
        ops.add(ops.constant(1), ops.apply('Erf', [ops.mul(x, ops.constant(Math.SQRT1_2))])[0]!),
      )
      const density = ops.mul(
        ops.constant(1 / Math.sqrt(2 * Math.PI)),
        ops.exp(ops.mul(ops.constant(-0.5), ops.mul(x, x))),
      )
      return ops.mul(dy, ops.add(cumulative, ops.mul(x, density)))
    },
  ),
  /**
   * silu(gate) * up. By-products for the gradient: silu(gate) and sigmoid(gate), which cost less to keep than to compute
   * again.
   */
  Swiglu: defineOp<OpAttributes['Swiglu']>({
    infer: ([gate, up]) => {
      const type = { shape: gate!.shape, dtype: 'float32' } as const
      if (sameShape(gate!.shape, up!.shape)) return [type, type, type]
      const shapes = [gate!, up!].map(x => `[${x.shape.join(', ')}]`).join(' and ')
      throw tensorErrors.SHAPE({ op: 'swiglu', reason: `${shapes} differ` })
    },
    emit: (onnx, { inputs: [gate = '', up = ''], outputs, attributes: { approximate } }) => {
      const [active, s] = [outputs[1] || onnx.temporary(), outputs[2] || onnx.temporary()]
      if (approximate && !outputs[2]) onnx.node('QuickGelu', [gate], [active], { alpha: { float: 1 } }, 'com.microsoft')
      else {
        emitSigmoid(onnx, gate, s)
        onnx.node('Mul', [gate, s], [active])
      }
      if (outputs[0]) onnx.node('Mul', [active, up], [outputs[0]])
    },
    tfjs: (tf, [gate, up]) => {
      const s = tf.sigmoid(gate!)
      const active = tf.mul(gate!, s)
      return [tf.mul(active, up!), active, s]
    },
    vjp: (ops, { inputs, outputs, dy }) => {
      const [up, active] = [inputs[1]!, outputs[1]!]
      const s = outputs[2]!
      const slope = ops.add(s, ops.sub(active, ops.mul(active, s)))
      return [ops.mul(ops.mul(dy, up), slope), ops.mul(dy, active)]
    },
    reference: ([gate, up]) => {
      const values = (compute: (g: number, i: number) => number): Dense => ({
        shape: gate!.shape,
        dtype: 'float32',
        data: Float64Array.from(gate!.data as Float64Array, compute), // floats by type
      })
      return [values((g, i) => g * sigmoid(g) * Number(up!.data[i])), values(g => g * sigmoid(g)), values(sigmoid)]
    },
  }),
  Less: defineOp({
    infer: ([a, b]) => [{ shape: broadcastShape('less', a!.shape, b!.shape), dtype: 'bool' }],
    emit: (onnx, { inputs, outputs }) => onnx.node('Less', inputs, outputs),
    tfjs: (tf, [a, b]) => [tf.less(a!, b!)],
    reference: ([a, b]) => {
      const shape = broadcastShape('less', a!.shape, b!.shape)
      const [left, right] = [broadcastIndices(a!.shape, shape), broadcastIndices(b!.shape, shape)]
      const data = Uint8Array.from(left, (at, i) => (a!.data[at]! < b!.data[right[i]!]! ? 1 : 0))
      return [{ shape, dtype: 'bool', data }]
    },
  }),
  Where: defineOp({
    infer: ([condition, a, b]) => [
      {
        shape: broadcastShape('where', condition!.shape, broadcastShape('where', a!.shape, b!.shape)),
        dtype: a!.dtype,
      },
    ],
    emit: (onnx, { inputs, outputs }) => onnx.node('Where', inputs, outputs),
    tfjs: (tf, [condition, a, b]) => [tf.where(condition!, a!, b!)],
    vjp: (ops, { inputs, dy, wanted }) => {
      const [condition, a, b] = inputs as readonly [Tensor, Tensor, Tensor] // `infer` took three
      const zero = ops.constant(0)
      return [
        undefined,
        wanted[1] ? reduceToShape(ops, ops.where(condition, dy, zero), a.shape) : undefined,
        wanted[2] ? reduceToShape(ops, ops.where(condition, zero, dy), b.shape) : undefined,
      ]
    },
    reference: ([condition, a, b]) => {
      const shape = broadcastShape('where', condition!.shape, broadcastShape('where', a!.shape, b!.shape))
      const at = [condition!, a!, b!].map(value => broadcastIndices(value.shape, shape))
      const data: DenseData = emptyLike(a!.dtype, sizeOf(shape))
      for (let i = 0; i < data.length; i++) {
        data[i] = Number(condition!.data[at[0]![i]!] ? a!.data[at[1]![i]!] : b!.data[at[2]![i]!])
      }
      return [{ shape, dtype: a!.dtype, data }]
    },
  }),
  Reciprocal: unary(
    x => 1 / x,
    node('Reciprocal'),
    (tf, x) => tf.reciprocal(x),
    (ops, { y, dy }) => ops.neg(ops.mul(dy, ops.mul(y, y))),
  ),
} satisfies Record<string, OpDefinition>

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x))
}

/** d silu(x) / dx = s (1 + x (1 − s)) with s = sigmoid(x). */
function siluSlope(ops: TableOps<Tensor>, x: Tensor, s: Tensor): Tensor {
  const one = ops.constant(1)
  return ops.mul(s, ops.add(one, ops.mul(x, ops.sub(one, s))))
}

/**
 * 1 / (1 + exp(−x)). ONNX Runtime's own Sigmoid and QuickGelu kernels are off by up to 1e-5 relative, which shows in
 * AdamW's first steps wherever a gradient nearly cancels; Exp is exact to the last bits.
 */
function emitSigmoid(onnx: OnnxScope, x: string, y: string): void {
  const [negated, power, sum] = [onnx.temporary(), onnx.temporary(), onnx.temporary()]
  onnx.node('Neg', [x], [negated])
  onnx.node('Exp', [negated], [power])
  onnx.node('Add', [power, onnx.constant(Float32Array.of(1), [], 'float32')], [sum])
  onnx.node('Reciprocal', [sum], [y])
}

function emitSilu(onnx: OnnxScope, x: string, y: string): void {
  const s = onnx.temporary()
  emitSigmoid(onnx, x, s)
  onnx.node('Mul', [x, s], [y])
}

function split(ops: TableOps<Tensor>, second: Tensor, dy: Tensor): readonly [Tensor, Tensor] {
  const zero = ops.constant(0)
  return [ops.where(second, zero, dy), ops.where(second, dy, zero)]
}

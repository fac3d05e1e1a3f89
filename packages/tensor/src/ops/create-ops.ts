import { tensorErrors } from '../errors.ts'
import { normalAxis, type DType, type TensorType, type TypedArray } from '../graph/tensor.ts'
import type { TableOps } from './definition.ts'
import type {
  AttentionOptions,
  CachedAttentionOptions,
  MatmulOptions,
  Ops,
  PastAttentionOptions,
  PrefixAttentionOptions,
  QuantizedWeights,
  ReductionOptions,
  SwigluOptions,
  TokenLogprobs,
  TokenLogprobsOptions,
} from './ops.ts'
import type { OpName, PlainOp } from './op-attributes.ts'
import { reducedSize } from './reduction.ts'

/** What a kind of value must offer so that `createOps` can build all operations on it. */
export interface OpsBackend<T> {
  typeOf(x: T): TensorType
  constant(data: TypedArray, shape: readonly number[], dtype: DType): T
  apply(op: OpName, inputs: readonly T[], attributes: object): readonly T[]
}

/** Builds the methods that layers call from the rows of the operation table. */
export function createOps<T>(backend: OpsBackend<T>): TableOps<T> {
  const apply: Apply<T> = (op, inputs, ...[attributes = {}]) => backend.apply(op, inputs, attributes)
  const shape = (x: T): readonly number[] => backend.typeOf(x).shape
  const only =
    (op: PlainOp) =>
    (...inputs: readonly T[]): T =>
      apply(op, inputs)[0]!
  const constant = (value: number | Float32Array, as?: readonly number[]): T =>
    typeof value === 'number'
      ? backend.constant(Float32Array.of(value), [], 'float32')
      : backend.constant(value, as ?? [value.length], 'float32')

  const elementwise = {
    add: only('Add'),
    sub: only('Sub'),
    mul: only('Mul'),
    div: only('Div'),
    minimum: only('Min'),
    maximum: only('Max'),
    neg: only('Neg'),
    exp: only('Exp'),
    log: only('Log'),
    sqrt: only('Sqrt'),
    rsqrt: only('Rsqrt'),
    abs: only('Abs'),
    sigmoid: only('Sigmoid'),
    tanh: only('Tanh'),
    silu: only('Silu'),
    gelu: only('Gelu'),
    less: only('Less'),
    where: only('Where'),
    softmax: only('Softmax'),
    logSoftmax: only('LogSoftmax'),
    rotary: only('Rotary'),
    gatherRows: only('GatherRows'),
    quantizedLinear: (
      x: T,
      { packed, scales, zeroPoints, bias, bits = 4, isExact = false }: QuantizedWeights<T>,
    ): T => {
      const rest = [zeroPoints, bias].filter(each => each !== undefined)
      const attributes = { bits, isExact, hasZeroPoints: zeroPoints !== undefined, hasBias: bias !== undefined }
      return apply('QuantizedLinear', [x, packed, scales, ...rest], attributes)[0]!
    },
    roundedBlockSums: only('RoundedBlockSums'),
    halfLinear: only('HalfLinear'),
    cacheFloats: (values: T, scales?: T): T =>
      apply('CacheFloats', scales === undefined ? [values] : [values, scales])[0]!,
    swiglu: (gate: T, up: T, { approximate = false }: SwigluOptions = {}): T =>
      apply('Swiglu', [gate, up], { approximate })[0]!,
    clamp: (x: T, low: number, high: number): T => {
      const [bottom, top] = [constant(low), constant(high)]
      const raised = elementwise.where(elementwise.less(x, bottom), bottom, x)
      return elementwise.where(elementwise.less(top, x), top, raised)
    },
  }
  const layout = layoutMethods(apply, shape)
  const products = productMethods(apply, shape, layout)
  const reductions = reductionMethods(apply, shape, (x, factor) => elementwise.mul(x, constant(factor)))
  return {
    ...elementwise,
    ...layout,
    ...products,
    ...reductions,
    ...normMethods(apply, shape, constant),
    ...headMethod(apply, shape, { ...layout, ...elementwise, ...reductions, constant }),
    apply,
    shape,
    constant,
    indices: (values, as) => backend.constant(values, as ?? [values.length], 'int32'),
    attention: (q: T, k: T, v: T, { mask, scale }: AttentionOptions<T>) =>
      apply('Attention', mask === undefined ? [q, k, v] : [q, k, v, mask], { scale })[0]!,
    pastAttention: (q: T, { scale, ...on }: PastAttentionOptions<T>) =>
      apply('PastAttention', [q, on.pastKeys, on.pastValues, on.ownKeys, on.ownValues, on.mask], { scale })[0]!,
    cachedAttention: (q: T, { scale, ...on }: CachedAttentionOptions<T>) =>
      apply('CachedAttention', [q, on.ownKeys, on.ownValues, on.pastKeys, on.pastValues, on.pastMask, on.ownMask], {
        scale,
      })[0]!,
    prefixAttention: (q: T, { scale, ...on }: PrefixAttentionOptions<T>) =>
      apply(
        'PrefixAttention',
        [q, on.prefixKeys, on.prefixValues, on.ownKeys, on.ownValues, on.prefixMask, on.ownMask],
        { scale },
      )[0]!,
  }
}

type Apply<T> = TableOps<T>['apply']
type ShapeOf<T> = (x: T) => readonly number[]
type Layout<T> = Pick<Ops<T>, 'reshape' | 'transpose' | 'concat' | 'slice' | 'expand' | 'gatherElements'>

function layoutMethods<T>(apply: Apply<T>, shape: ShapeOf<T>): Layout<T> {
  const isShape = (x: T, wanted: readonly number[]): boolean => shape(x).join() === wanted.join()
  return {
    reshape: (x, to) => (isShape(x, to) ? x : apply('Reshape', [x], { shape: to })[0]!),
    transpose: (x, permutation) => apply('Transpose', [x], { permutation })[0]!,
    concat: (parts, axis) =>
      parts.length === 1 ? parts[0]! : apply('Concat', parts, { axis: normalAxis(axis, shape(parts[0]!).length) })[0]!,
    slice: (x, axis, start, end) => {
      const at = normalAxis(axis, shape(x).length)
      return start === 0 && end === shape(x)[at] ? x : apply('Slice', [x], { axis: at, start, end })[0]!
    },
    expand: (x, to) => (isShape(x, to) ? x : apply('Expand', [x], { shape: to })[0]!),
    gatherElements: (x, indices, axis) =>
      apply('GatherElements', [x, indices], { axis: normalAxis(axis, shape(x).length) })[0]!,
  }
}

function productMethods<T>(
  apply: Apply<T>,
  shape: ShapeOf<T>,
  layout: Layout<T>,
): Pick<Ops<T>, 'linear' | 'matmul' | 'storedLinear' | 'widen'> {
  /** A product of the last axis, over rows. */
  const rowwise = (x: T, outer: number, product: (flat: T) => T): T => {
    const lead = shape(x).slice(0, -1)
    const rows = lead.reduce((size, length) => size * length, 1)
    return layout.reshape(product(layout.reshape(x, [rows, shape(x).at(-1) ?? 1])), [...lead, outer])
  }
  const present = (values: readonly (T | undefined)[]): T[] => values.filter(each => each !== undefined)
  return {
    linear: (x, weight, bias) =>
      rowwise(x, shape(weight)[0]!, flat => {
        return apply('Gemm', present([flat, weight, bias]), { transposeA: false, transposeB: true })[0]!
      }),
    storedLinear: (x, { values, scales, inner }, bias) =>
      rowwise(x, shape(values)[0]!, flat => {
        const attributes = { inner, hasScales: scales !== undefined, isTransposed: false }
        return apply('StoredLinear', present([flat, values, scales, bias]), attributes)[0]!
      }),
    widen: ({ values, scales, inner }) =>
      apply('Widen', present([values, scales]), { inner, hasScales: scales !== undefined })[0]!,
    matmul: (a, b, { transposeA = false, transposeB = false, scale = 1 }: MatmulOptions = {}) =>
      apply('MatMul', [a, b], { transposeA, transposeB, scale })[0]!,
  }
}

function reductionMethods<T>(
  apply: Apply<T>,
  shape: ShapeOf<T>,
  times: (x: T, factor: number) => T,
): Pick<Ops<T>, 'sum' | 'mean' | 'max'> {
  const axesOf = (x: T, axis: ReductionOptions['axis']): number[] => {
    const axes = [axis].flat().map(each => normalAxis(each, shape(x).length))
    const outside = axes.find(each => !(each >= 0 && each < shape(x).length))
    if (outside === undefined) return [...new Set(axes)].toSorted((a, b) => a - b)
    throw tensorErrors.SHAPE({ op: 'reduction', reason: `[${shape(x).join(', ')}] has no axis ${outside}` })
  }
  const reduction =
    (op: 'ReduceSum' | 'ReduceMax') =>
    (x: T, { axis, keepDims = false }: ReductionOptions): T => {
      const axes = axesOf(x, axis)
      // ONNX takes no axes for all of them.
      return axes.length === 0 ? x : apply(op, [x], { axes, keepDims })[0]!
    }
  const sum = reduction('ReduceSum')
  return {
    sum,
    max: reduction('ReduceMax'),
    mean: (x, options) => times(sum(x, options), 1 / reducedSize(shape(x), axesOf(x, options.axis))),
  }
}

function normMethods<T>(
  apply: Apply<T>,
  shape: ShapeOf<T>,
  constant: Ops<T>['constant'],
): Pick<Ops<T>, 'rmsNorm' | 'layerNorm'> {
  const filled = (x: T, value: number): T => constant(new Float32Array(shape(x).at(-1)!).fill(value))
  return {
    rmsNorm: (x, weight, epsilon) => apply('RmsNorm', [x, weight], { epsilon })[0]!,
    layerNorm: (x, weight, bias, epsilon) =>
      apply('LayerNorm', [x, weight ?? filled(x, 1), bias ?? filled(x, 0)], { epsilon })[0]!,
  }
}

/** What the vocabulary head is put together from. */
type HeadParts<T> = Layout<T> & Pick<Ops<T>, 'add' | 'maximum' | 'mul' | 'neg' | 'sum' | 'constant'>

function headMethod<T>(apply: Apply<T>, shape: ShapeOf<T>, ops: HeadParts<T>): Pick<Ops<T>, 'tokenLogprobs'> {
  const score = (hidden: T, head: T, targets: T, scale: number): TokenLogprobs<T> => {
    const [logprobs, errors] = apply('TokenLogprobs', [hidden, head, targets], { scale }) as [T, T] // two by `infer`
    // With e = p − one at the target: entropy = log Σ exp − h · (p E) = −logprob − h · (e E), a product of the gradient too.
    const expectedRows = apply('Gemm', [errors, head], { transposeA: false, transposeB: false })[0]!
    const dots = ops.sum(ops.mul(hidden, expectedRows), { axis: 1 })
    const scaled = scale === 1 ? dots : ops.mul(dots, ops.constant(scale))
    return { logprobs, entropy: ops.maximum(ops.neg(ops.add(logprobs, scaled)), ops.constant(0)) }
  }
  return {
    tokenLogprobs: (hidden, head, targets, { temperature = 1, chunk }: TokenLogprobsOptions = {}): TokenLogprobs<T> => {
      const rows = shape(hidden)[0]!
      if (shape(targets).join() !== `${rows}`) {
        const reason = `there are ${rows} rows and targets of the shape [${shape(targets).join(', ')}]`
        throw tensorErrors.SHAPE({ op: 'tokenLogprobs', reason })
      }
      const parts: TokenLogprobs<T>[] = []
      for (let start = 0; start < rows; start += chunk ?? rows) {
        const end = Math.min(rows, start + (chunk ?? rows))
        const [own, chosen] = [ops.slice(hidden, 0, start, end), ops.slice(targets, 0, start, end)]
        parts.push(score(own, head, chosen, 1 / temperature))
      }
      const joined = (name: keyof TokenLogprobs<T>): T =>
        ops.concat(
          parts.map(part => part[name]),
          0,
        )
      return { logprobs: joined('logprobs'), entropy: joined('entropy') }
    },
  }
}

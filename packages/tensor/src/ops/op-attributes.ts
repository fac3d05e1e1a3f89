/** The attributes of an operation that has none. */
export type NoAttributes = object

/** Of an operation that works along one axis, from the start. */
export interface Along {
  readonly axis: number
}

/** Of an operation whose result has a given shape. */
export interface Shaped {
  readonly shape: readonly number[]
}

/** Of an attention, a product of the last two axes, or the head: a factor on the scores. */
export interface Scaled {
  readonly scale: number
}

/** Of a normalisation. */
export interface Norm {
  readonly epsilon: number
}

/** Of a sum, mean or maximum over axes. */
export interface Reduction {
  /** From the start, ascending. */
  readonly axes: readonly number[]
  readonly keepDims: boolean
}

/** Of a product whose factors may be transposed first. */
export interface Transposed {
  readonly transposeA: boolean
  readonly transposeB: boolean
}

/** Of a matrix as it is stored. */
export interface Stored {
  /** Inputs of the layer. */
  readonly inner: number
  readonly hasScales: boolean
}

/**
 * Every operation by its name, with its attributes: what `TableOps.apply` takes. The row of the same name in `table.ts` says
 * what it does.
 */
export interface OpAttributes {
  Add: NoAttributes
  Sub: NoAttributes
  Mul: NoAttributes
  Div: NoAttributes
  Min: NoAttributes
  Max: NoAttributes
  Neg: NoAttributes
  Exp: NoAttributes
  Log: NoAttributes
  Sqrt: NoAttributes
  Rsqrt: NoAttributes
  Abs: NoAttributes
  Sigmoid: NoAttributes
  Tanh: NoAttributes
  Erf: NoAttributes
  Silu: NoAttributes
  Gelu: NoAttributes
  Swiglu: { readonly approximate: boolean }
  Less: NoAttributes
  Where: NoAttributes
  Reciprocal: NoAttributes
  ReduceSum: Reduction
  ReduceMax: Reduction
  Reshape: Shaped
  Transpose: { readonly permutation: readonly number[] }
  Concat: Along
  /** start … end − 1 */
  Slice: Along & { readonly start: number; readonly end: number }
  /** Counts of zeros. */
  Pad: Along & { readonly before: number; readonly after: number }
  Expand: Shaped
  GatherRows: NoAttributes
  ScatterAddRows: { readonly rows: number }
  GatherElements: Along
  ScatterAddElements: Along & Shaped
  Gemm: Transposed
  /** scale * op(a) op(b), where op may swap the last two axes. */
  MatMul: Transposed & Scaled
  Softmax: NoAttributes
  LogSoftmax: NoAttributes
  RmsNorm: Norm
  LayerNorm: Norm
  Rotary: NoAttributes
  Attention: Scaled
  PastAttention: Scaled
  CachedAttention: Scaled
  CacheFloats: NoAttributes
  PrefixAttention: Scaled
  QuantizedLinear: {
    readonly bits: 4 | 8
    readonly isExact: boolean
    readonly hasZeroPoints: boolean
    readonly hasBias: boolean
  }
  RoundedBlockSums: NoAttributes
  HalfLinear: NoAttributes
  /** Transposed: x W instead of x Wᵀ, what a gradient is. */
  StoredLinear: Stored & { readonly isTransposed: boolean }
  Widen: Stored
  /** The scale is 1 / temperature. */
  TokenLogprobs: Scaled
}

/** The name of an operation. */
export type OpName = keyof OpAttributes

/** What follows the operands where an operation is applied: nothing, where it has no attributes. */
export type AttributesOf<Name extends OpName> = NoAttributes extends OpAttributes[Name]
  ? readonly [attributes?: OpAttributes[Name]]
  : readonly [attributes: OpAttributes[Name]]

/** The name of an operation without attributes. */
export type PlainOp = { [Name in OpName]: NoAttributes extends OpAttributes[Name] ? Name : never }[OpName]

/** Which axes a reduction removes, or keeps with length 1. Negative axes count from the end. */
export interface ReductionOptions {
  readonly axis: number | readonly number[]
  readonly keepDims?: boolean
}

/** Options of `Ops.matmul`. */
export interface MatmulOptions {
  readonly transposeA?: boolean
  readonly transposeB?: boolean
  /** Factor on the product, such as 1 / sqrt(headDim). */
  readonly scale?: number
}

/** Options of `Ops.attention`. */
export interface AttentionOptions<T> {
  /** Added to the scores before the softmax; broadcasts to [B, K, G, T, S]. 0 keeps, a large negative number hides. */
  readonly mask?: T
  readonly scale: number
}

/** Cached tokens and the newest one, for `Ops.pastAttention`; B and P may be open. */
export interface PastAttentionOptions<T> {
  /** [B, K, P, headDim] */
  readonly pastKeys: T
  readonly pastValues: T
  /** [B, K, 1, headDim] */
  readonly ownKeys: T
  readonly ownValues: T
  /** [B, 1, 1, P], added to the scores of the cached tokens: 0 keeps, a large negative number hides. */
  readonly mask: T
  readonly scale: number
}

/** New tokens and cached ones, for `Ops.cachedAttention`; B, T and P may be open. */
export interface CachedAttentionOptions<T> {
  /** [B * T, K * headDim] */
  readonly ownKeys: T
  readonly ownValues: T
  /** [B, K, P, headDim] */
  readonly pastKeys: T
  readonly pastValues: T
  /** [B, 1, 1, P], added to the scores of the cached tokens: 0 keeps, a large negative number hides. */
  readonly pastMask: T
  /** [1, 1, G * T, T], added to the scores of the new tokens: what of each other they see, for each of G query heads. */
  readonly ownMask: T
  readonly scale: number
}

/** Weights in four or eight bits, for `Ops.quantizedLinear`, in blocks of 32, 64 or 128 that share a scale: I inputs, O outputs. */
export interface QuantizedWeights<T> {
  /** uint8 [O, blocks, half a block] (two codes in a byte, the first in the lower bits) or [O, blocks, a block]. */
  readonly packed: T
  /** [O, blocks] */
  readonly scales: T
  /** uint8 [O, ceil(blocks / 2)] or [O, blocks]; default 8 or 128 for all. */
  readonly zeroPoints?: T | undefined
  /** [O] */
  readonly bias?: T | undefined
  /** Default 4. */
  readonly bits?: 4 | 8
  /** Keeps `x` in float32; by default it is rounded to eight bits, which is about twice as fast. */
  readonly isExact?: boolean
}

/** A matrix [O, I] in the type that it is stored in, for `Ops.storedLinear` and `Ops.widen`; it does not train. */
export interface StoredMatrix<T> {
  /** [O, I] in float32 or bfloat16, or codes [O, blocks * size of a block] in uint4 or uint8, of which 8 or 128 stands for zero. */
  readonly values: T
  /** float32 [O, blocks], of codes. */
  readonly scales?: T | undefined
  /** I; the codes of a row may end behind it. */
  readonly inner: number
}

/** A prefix, its N continuations of T tokens and their masks, for `Ops.prefixAttention`. */
export interface PrefixAttentionOptions<T> {
  /** [B, K, S, headDim] */
  readonly prefixKeys: T
  readonly prefixValues: T
  /** [B, K, N, T, headDim] */
  readonly ownKeys: T
  readonly ownValues: T
  /** [B, 1, 1, S], added to the scores over the prefix: 0 keeps, a large negative number hides. */
  readonly prefixMask: T
  /** Broadcasts to [B, K, N, G, T, T], added to the scores of a continuation over itself. */
  readonly ownMask: T
  readonly scale: number
}

/** Options of `Ops.swiglu`. */
export interface SwigluOptions {
  /** Takes the runtime's own sigmoid: three passes less, but only good to about 1e-6. For inference. Default false. */
  readonly approximate?: boolean
}

/** Options of `Ops.tokenLogprobs`. */
export interface TokenLogprobsOptions {
  /** Sampling temperature that divides the logits. Default 1. */
  readonly temperature?: number
  /** Rows per chunk, so that [N, V] is never whole in memory. Default: all rows in one. */
  readonly chunk?: number
}

/** Log-probabilities of chosen tokens and the entropy of each row's distribution, both [N]. */
export interface TokenLogprobs<T> {
  readonly logprobs: T
  /** In nats, to about 1e-5 at a temperature of 1; a measurement: no gradient flows through it. */
  readonly entropy: T
}

/**
 * What a layer may do with its values. `T` is a node of a graph that is differentiated and emitted, or a dense array in
 * tests: a layer never asks which. Binary operations broadcast as NumPy does. Shapes are static.
 *
 * Every method throws `TENSOR_SHAPE` when its operands do not fit; the message names the operation and the shapes.
 */
export interface Ops<T> {
  /** The static shape of a value. */
  shape(x: T): readonly number[]
  /** A float32 constant: a number is a scalar; data [shape] is row-major. */
  constant(value: number | Float32Array, shape?: readonly number[]): T
  /** An int32 constant, for indices. */
  indices(values: Int32Array, shape?: readonly number[]): T

  add(a: T, b: T): T
  sub(a: T, b: T): T
  mul(a: T, b: T): T
  div(a: T, b: T): T
  minimum(a: T, b: T): T
  maximum(a: T, b: T): T
  neg(x: T): T
  exp(x: T): T
  log(x: T): T
  sqrt(x: T): T
  rsqrt(x: T): T
  abs(x: T): T
  sigmoid(x: T): T
  tanh(x: T): T
  /** x * sigmoid(x). */
  silu(x: T): T
  /** Gaussian error linear unit, exact (erf) form. */
  gelu(x: T): T
  /** Limits every element to [low, high]; the gradient is zero outside. */
  clamp(x: T, low: number, high: number): T
  /** Elementwise a < b, as bool. */
  less(a: T, b: T): T
  /** Picks from `a` where `condition` (bool) holds, else from `b`. */
  where(condition: T, a: T, b: T): T

  sum(x: T, options: ReductionOptions): T
  mean(x: T, options: ReductionOptions): T
  max(x: T, options: ReductionOptions): T

  reshape(x: T, shape: readonly number[]): T
  /** Reorders the axes; `permutation[i]` is the old axis at place i. */
  transpose(x: T, permutation: readonly number[]): T
  concat(parts: readonly T[], axis: number): T
  /** Elements start … end − 1 along one axis. */
  slice(x: T, axis: number, start: number, end: number): T
  /** Broadcasts to a larger shape. */
  expand(x: T, shape: readonly number[]): T
  /** Rows of `table` [R, ...] at `rows` (int32 [...I]): [...I, ...]. An embedding look-up; also any re-ordering of rows. */
  gatherRows(table: T, rows: T): T
  /** Elements of `x` at `indices` (int32, same rank) along `axis`, as torch.gather. */
  gatherElements(x: T, indices: T, axis: number): T

  /** y = x Wᵀ + b; `x` [..., I], `weight` [O, I] (PyTorch's layout), `bias` [O]. */
  linear(x: T, weight: T, bias?: T): T
  /** Batched product over the last two axes; leading axes must be equal. */
  matmul(a: T, b: T, options?: MatmulOptions): T
  /** Over the last axis. */
  softmax(x: T): T
  /** Over the last axis. */
  logSoftmax(x: T): T

  /** x / sqrt(mean(x²) + epsilon) * weight over the last axis; `weight` [D]. */
  rmsNorm(x: T, weight: T, epsilon: number): T
  /** (x − mean) / sqrt(var + epsilon) * weight + bias over the last axis; `weight`, `bias` [D]; without them no affine part. */
  layerNorm(x: T, weight: T | undefined, bias: T | undefined, epsilon: number): T
  /**
   * Rotary position embedding in the rotate-half layout (Llama, Qwen): the two halves of each head form the pairs.
   * `x` [B, T, H * headDim], `cos` and `sin` [B * T, headDim / 2], one row per token.
   */
  rotary(x: T, cos: T, sin: T): T
  /** silu(gate) * up, of one shape. */
  swiglu(gate: T, up: T, options?: SwigluOptions): T
  /**
   * Scaled dot-product attention with grouped queries: `q` [B, K, G, T, headDim], `k` and `v` [B, K, S, headDim], where K
   * is the number of key-value heads and G query heads share each. Answers [B, K, G, T, headDim].
   */
  attention(q: T, k: T, v: T, options: AttentionOptions<T>): T
  /** Attention of one new token `q` [B, K, G, headDim] over cached tokens and itself. No gradient flows through it. */
  pastAttention(q: T, options: PastAttentionOptions<T>): T
  /**
   * Attention of N continuations `q` [B, K, N, G, T, headDim] over a prefix that they share and each over itself, never
   * over each other. Answers the shape of `q`.
   */
  prefixAttention(q: T, options: PrefixAttentionOptions<T>): T
  /**
   * Attention of T new tokens of each of B sequences, `q` [B * T, K * G * headDim], over cached tokens and themselves. Answers
   * the shape of `q`. No gradient flows through it.
   */
  cachedAttention(q: T, options: CachedAttentionOptions<T>): T
  /**
   * Cached keys or values [..., D] as float32: of float16, or of int8 codes in blocks of 32 (D where that is no multiple of 32)
   * with scales float32 [..., blocks]. No gradient flows through it.
   */
  cacheFloats(values: T, scales?: T): T
  /** y = x Wᵀ + b with W in four or eight bits: `x` [N, I]. No gradient flows through it. */
  quantizedLinear(x: T, weights: QuantizedWeights<T>): T
  /**
   * Sums of `x` [N, I] over blocks of 32, [N, I / 32], of what `quantizedLinear` makes of it: rounded to eight bits in these blocks.
   * No gradient flows through it.
   */
  roundedBlockSums(x: T): T
  /** y = x Wᵀ in half precision: `x` float32 [N, I], `weights` float16 [O, I]. Answers float32. No gradient flows through it. */
  halfLinear(x: T, weights: T): T
  /**
   * y = x Wᵀ + b with W widened to float32 while it is multiplied, forward and backward, and never kept: `x` [..., I], `bias` [O].
   * A gradient flows to `x` alone.
   */
  storedLinear(x: T, weights: StoredMatrix<T>, bias?: T): T
  /** A stored matrix as float32 [O, I]. No gradient flows through it. */
  widen(weights: StoredMatrix<T>): T
  /**
   * log softmax(h Eᵀ / temperature)[target] per row, and the entropy: `hidden` [N, D], `head` [V, D], `targets` int32 [N].
   */
  tokenLogprobs(hidden: T, head: T, targets: T, options?: TokenLogprobsOptions): TokenLogprobs<T>
}

import { dense, denseIndices, type Dense } from './dense.ts'
import type { TableOps } from './ops/definition.ts'

/** One operation under test: differentiable operands, index operands, and how it is applied. */
export interface OpCase {
  readonly name: string
  /** Shapes of the float operands; values are drawn from [low, high]. */
  readonly floats: readonly (readonly number[])[]
  readonly range?: readonly [low: number, high: number]
  /** Index operands, after the float ones. */
  readonly indices?: readonly { readonly values: readonly number[]; readonly shape: readonly number[] }[]
  readonly apply: <T>(ops: TableOps<T>, x: readonly T[]) => T
}

/** A generator of numbers in [0, 1) from a seed (mulberry32): enough for test data. */
export function testRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

/** Draws the operands of a case. */
export function operandsOf({ floats, indices = [], range = [-1, 1] }: OpCase, seed = 7): Dense[] {
  const random = testRandom(seed)
  const [low, high] = range
  return [
    ...floats.map(shape => {
      const size = shape.reduce((product, length) => product * length, 1)
      return dense(
        Array.from({ length: size }, () => Math.fround(low + (high - low) * random())),
        shape,
      )
    }),
    ...indices.map(({ values, shape }) => denseIndices(values, shape)),
  ]
}

const positive = [0.3, 2] as const
const rotation = <T>(ops: TableOps<T>, angle: T): readonly [T, T] => [
  ops.rsqrt(ops.add(ops.constant(1), ops.mul(angle, angle))),
  ops.mul(angle, ops.rsqrt(ops.add(ops.constant(1), ops.mul(angle, angle)))),
]

/** Operations of inference alone, which have no gradient. */
export const inferenceCases: readonly OpCase[] = [
  { name: 'roundedBlockSums', floats: [[3, 64]], apply: (ops, [x]) => ops.roundedBlockSums(x!) },
  {
    name: 'pastAttention',
    floats: [
      [2, 2, 3, 4],
      [2, 2, 5, 4],
      [2, 2, 5, 4],
      [2, 2, 1, 4],
      [2, 2, 1, 4],
    ],
    apply: (ops, [q, pastKeys, pastValues, ownKeys, ownValues]) => {
      const hidden = Float32Array.from({ length: 10 }, (_, i) => (i % 5 > 1 + Math.floor(i / 5) ? -1e30 : 0))
      const mask = ops.constant(hidden, [2, 1, 1, 5])
      const [keys, values] = [
        { pastKeys: pastKeys!, ownKeys: ownKeys! },
        { pastValues: pastValues!, ownValues: ownValues! },
      ]
      return ops.pastAttention(q!, { ...keys, ...values, mask, scale: 0.7 })
    },
  },
  {
    name: 'cachedAttention',
    floats: [
      [6, 16],
      [6, 8],
      [6, 8],
      [2, 2, 5, 4],
      [2, 2, 5, 4],
    ],
    apply: (ops, [q, ownKeys, ownValues, pastKeys, pastValues]) => {
      const hidden = Float32Array.from({ length: 10 }, (_, i) => (i % 5 > 1 + Math.floor(i / 5) ? -1e30 : 0))
      const later = Float32Array.from({ length: 18 }, (_, i) => (i % 3 > Math.floor(i / 3) % 3 ? -1e30 : 0))
      const past = { pastKeys: pastKeys!, pastValues: pastValues!, pastMask: ops.constant(hidden, [2, 1, 1, 5]) }
      const own = { ownKeys: ownKeys!, ownValues: ownValues!, ownMask: ops.constant(later, [1, 1, 6, 3]) }
      return ops.cachedAttention(q!, { ...past, ...own, scale: 0.7 })
    },
  },
  {
    name: 'swiglu by the approximate sigmoid',
    floats: [
      [3, 40],
      [3, 40],
    ],
    range: [-6, 6],
    apply: (ops, [gate, up]) => ops.swiglu(gate!, up!, { approximate: true }),
  },
]

/** Every operation that a layer can reach, with broadcasting and both orders of every transposition. */
export const opCases: readonly OpCase[] = [
  { name: 'add broadcasts', floats: [[2, 3], [3]], apply: (ops, [a, b]) => ops.add(a!, b!) },
  {
    name: 'sub broadcasts',
    floats: [
      [2, 1],
      [1, 3],
    ],
    apply: (ops, [a, b]) => ops.sub(a!, b!),
  },
  { name: 'mul broadcasts', floats: [[2, 3], []], apply: (ops, [a, b]) => ops.mul(a!, b!) },
  {
    name: 'div',
    floats: [
      [2, 3],
      [2, 3],
    ],
    range: positive,
    apply: (ops, [a, b]) => ops.div(a!, b!),
  },
  {
    name: 'minimum',
    floats: [
      [2, 3],
      [2, 3],
    ],
    apply: (ops, [a, b]) => ops.minimum(a!, b!),
  },
  { name: 'maximum', floats: [[2, 3], [3]], apply: (ops, [a, b]) => ops.maximum(a!, b!) },
  {
    name: 'an operand taken twice',
    floats: [[3]],
    apply: (ops, [x]) => ops.div(ops.mul(x!, x!), ops.add(x!, ops.exp(x!))),
  },
  {
    name: 'an operand of length 1 on both sides',
    floats: [[1, 1], [1]],
    apply: (ops, [a, b]) => ops.mul(ops.add(a!, b!), a!),
  },
  { name: 'neg', floats: [[4]], apply: (ops, [x]) => ops.neg(x!) },
  { name: 'exp', floats: [[4]], apply: (ops, [x]) => ops.exp(x!) },
  { name: 'log', floats: [[4]], range: positive, apply: (ops, [x]) => ops.log(x!) },
  { name: 'sqrt', floats: [[4]], range: positive, apply: (ops, [x]) => ops.sqrt(x!) },
  { name: 'rsqrt', floats: [[4]], range: positive, apply: (ops, [x]) => ops.rsqrt(x!) },
  { name: 'reciprocal', floats: [[4]], range: positive, apply: (ops, [x]) => ops.apply('Reciprocal', [x!])[0]! },
  { name: 'abs', floats: [[6]], apply: (ops, [x]) => ops.abs(x!) },
  { name: 'sigmoid', floats: [[6]], range: [-4, 4], apply: (ops, [x]) => ops.sigmoid(x!) },
  { name: 'tanh', floats: [[6]], range: [-3, 3], apply: (ops, [x]) => ops.tanh(x!) },
  { name: 'erf', floats: [[8]], range: [-4, 4], apply: (ops, [x]) => ops.apply('Erf', [x!])[0]! },
  { name: 'silu', floats: [[6]], range: [-4, 4], apply: (ops, [x]) => ops.silu(x!) },
  { name: 'gelu', floats: [[8]], range: [-4, 4], apply: (ops, [x]) => ops.gelu(x!) },
  { name: 'clamp', floats: [[8]], range: [-2, 2], apply: (ops, [x]) => ops.clamp(x!, -0.5, 0.8) },
  {
    name: 'where',
    floats: [[2, 3], [3], [2, 1]],
    apply: (ops, [a, b, c]) => ops.where(ops.less(a!, ops.constant(0)), b!, c!),
  },
  {
    name: 'swiglu',
    floats: [
      [3, 4],
      [3, 4],
    ],
    range: [-3, 3],
    apply: (ops, [a, b]) => ops.swiglu(a!, b!),
  },
  { name: 'sum over two axes', floats: [[2, 3, 4]], apply: (ops, [x]) => ops.sum(x!, { axis: [0, 2] }) },
  { name: 'mean keeps', floats: [[2, 3]], apply: (ops, [x]) => ops.mean(x!, { axis: -1, keepDims: true }) },
  { name: 'sum over no axis', floats: [[2, 3]], apply: (ops, [x]) => ops.sum(x!, { axis: [] }) },
  { name: 'mean over an axis named twice', floats: [[2, 3]], apply: (ops, [x]) => ops.mean(x!, { axis: [1, -1] }) },
  { name: 'max', floats: [[3, 5]], apply: (ops, [x]) => ops.max(x!, { axis: 1 }) },
  { name: 'reshape', floats: [[2, 6]], apply: (ops, [x]) => ops.reshape(x!, [3, 4]) },
  { name: 'transpose', floats: [[2, 3, 4]], apply: (ops, [x]) => ops.transpose(x!, [2, 0, 1]) },
  {
    name: 'concat',
    floats: [
      [2, 3],
      [2, 1],
    ],
    apply: (ops, [a, b]) => ops.concat([a!, b!, a!], 1),
  },
  { name: 'slice', floats: [[3, 5, 2]], apply: (ops, [x]) => ops.slice(x!, 1, 1, 4) },
  {
    name: 'slices at both edges',
    floats: [[2, 3]],
    apply: (ops, [x]) => ops.add(ops.slice(x!, 1, 0, 1), ops.slice(x!, -1, 2, 3)),
  },
  {
    name: 'slices that are the whole',
    floats: [[4, 3]],
    apply: (ops, [x]) => ops.concat([ops.exp(ops.slice(x!, 0, 3, 4)), ops.neg(ops.slice(x!, 0, 0, 3))], 0),
  },
  {
    name: 'slices along different axes, which are not the whole',
    floats: [[4, 4]],
    apply: (ops, [x]) =>
      ops.add(ops.transpose(ops.exp(ops.slice(x!, 0, 0, 2)), [1, 0]), ops.neg(ops.slice(x!, 1, 2, 4))),
  },
  { name: 'pad', floats: [[3, 2]], apply: (ops, [x]) => ops.apply('Pad', [x!], { axis: 1, before: 1, after: 2 })[0]! },
  { name: 'expand', floats: [[1, 3]], apply: (ops, [x]) => ops.expand(x!, [4, 2, 3]) },
  {
    name: 'gatherRows repeats rows',
    floats: [[4, 3]],
    indices: [{ values: [1, 3, 1, 0, 1, 2], shape: [2, 3] }],
    apply: (ops, [table, rows]) => ops.gatherRows(table!, rows!),
  },
  {
    name: 'scatterAddRows',
    floats: [[3, 2]],
    indices: [{ values: [4, 0, 4], shape: [3] }],
    apply: (ops, [x, rows]) => ops.apply('ScatterAddRows', [x!, rows!], { rows: 5 })[0]!,
  },
  {
    name: 'scatter of rows onto others',
    floats: [
      [3, 2],
      [5, 2],
    ],
    indices: [{ values: [4, 0, 4], shape: [3] }],
    apply: (ops, [x, base, rows]) => ops.apply('ScatterAddRows', [x!, rows!, base!], { rows: 5 })[0]!,
  },
  {
    name: 'gatherElements',
    floats: [[3, 4]],
    indices: [{ values: [0, 3, 3, 1, 2, 2], shape: [3, 2] }],
    apply: (ops, [x, at]) => ops.gatherElements(x!, at!, 1),
  },
  {
    name: 'scatterAddElements',
    floats: [[3, 2]],
    indices: [{ values: [0, 0, 3, 1, 2, 2], shape: [3, 2] }],
    apply: (ops, [x, at]) => ops.apply('ScatterAddElements', [x!, at!], { axis: 1, shape: [3, 4] })[0]!,
  },
  {
    name: 'storedLinear with bias',
    floats: [[3, 4], [5]],
    apply: (ops, [x, bias]) => {
      const values = Float32Array.from({ length: 20 }, (_, i) => Math.fround(Math.sin(i)))
      return ops.storedLinear(x!, { values: ops.constant(values, [5, 4]), inner: 4 }, bias)
    },
  },
  {
    name: 'linear with bias',
    floats: [[2, 3, 4], [5, 4], [5]],
    apply: (ops, [x, weight, bias]) => ops.linear(x!, weight!, bias),
  },
  ...[false, true].flatMap(transposeA =>
    [false, true].flatMap((transposeB): OpCase[] => [
      {
        name: `gemm ${transposeA ? 'aᵀ' : 'a'} ${transposeB ? 'bᵀ' : 'b'}`,
        floats: [transposeA ? [3, 2] : [2, 3], transposeB ? [4, 3] : [3, 4]],
        apply: (ops, [a, b]) => ops.apply('Gemm', [a!, b!], { transposeA, transposeB })[0]!,
      },
      {
        name: `matmul ${transposeA ? 'aᵀ' : 'a'} ${transposeB ? 'bᵀ' : 'b'}`,
        floats: [transposeA ? [2, 3, 2] : [2, 2, 3], transposeB ? [2, 4, 3] : [2, 3, 4]],
        apply: (ops, [a, b]) => ops.matmul(a!, b!, { transposeA, transposeB, scale: 0.7 }),
      },
    ]),
  ),
  { name: 'softmax', floats: [[3, 5]], range: [-3, 3], apply: (ops, [x]) => ops.softmax(x!) },
  { name: 'logSoftmax', floats: [[3, 5]], range: [-3, 3], apply: (ops, [x]) => ops.logSoftmax(x!) },
  { name: 'rmsNorm', floats: [[2, 3, 4], [4]], apply: (ops, [x, weight]) => ops.rmsNorm(x!, weight!, 1e-6) },
  {
    name: 'layerNorm',
    floats: [[2, 3, 4], [4], [4]],
    apply: (ops, [x, weight, bias]) => ops.layerNorm(x!, weight, bias, 1e-5),
  },
  {
    name: 'layerNorm without weights',
    floats: [[3, 4]],
    apply: (ops, [x]) => ops.layerNorm(x!, undefined, undefined, 1e-5),
  },
  {
    name: 'rotary',
    floats: [[2, 3, 8]],
    apply: (ops, [x]) => {
      const angles = ops.constant(
        Float32Array.from({ length: 12 }, (_, i) => Math.sin(i)),
        [6, 2],
      )
      const [cos, sin] = rotation(ops, angles)
      return ops.rotary(x!, cos, sin)
    },
  },
  {
    name: 'attention with grouped queries and a causal mask',
    floats: [
      [2, 2, 3, 4, 2],
      [2, 2, 4, 2],
      [2, 2, 4, 2],
    ],
    apply: (ops, [q, k, v]) => {
      const mask = ops.constant(
        Float32Array.from({ length: 16 }, (_, i) => (i % 4 > Math.floor(i / 4) ? -1e9 : 0)),
        [4, 4],
      )
      return ops.attention(q!, k!, v!, { mask, scale: 0.7 })
    },
  },
  {
    name: 'attention without a mask, more keys than queries',
    floats: [
      [1, 2, 1, 2, 3],
      [1, 2, 5, 3],
      [1, 2, 5, 3],
    ],
    apply: (ops, [q, k, v]) => ops.attention(q!, k!, v!, { scale: 1 }),
  },
  {
    name: 'attention of continuations over a prefix they share',
    floats: [
      [2, 2, 3, 2, 3, 2],
      [2, 2, 4, 2],
      [2, 2, 4, 2],
      [2, 2, 3, 3, 2],
      [2, 2, 3, 3, 2],
    ],
    apply: (ops, [q, prefixKeys, prefixValues, ownKeys, ownValues]) => {
      const prefixMask = ops.constant(Float32Array.of(0, 0, 0, 0, 0, 0, -1e9, -1e9), [2, 1, 1, 4])
      const ownMask = ops.constant(
        Float32Array.from({ length: 54 }, (_, i) => (i % 3 > Math.floor(i / 3) % 3 || i === 21 ? -1e9 : 0)),
        [2, 1, 3, 1, 3, 3],
      )
      return ops.prefixAttention(q!, {
        prefixKeys: prefixKeys!,
        prefixValues: prefixValues!,
        ownKeys: ownKeys!,
        ownValues: ownValues!,
        prefixMask,
        ownMask,
        scale: 0.7,
      })
    },
  },
  {
    name: 'tokenLogprobs in chunks at a temperature',
    floats: [
      [5, 3],
      [7, 3],
    ],
    indices: [{ values: [0, 6, 2, 2, 5], shape: [5] }],
    apply: (ops, [hidden, head, targets]) =>
      ops.tokenLogprobs(hidden!, head!, targets!, { temperature: 0.7, chunk: 2 }).logprobs,
  },
]

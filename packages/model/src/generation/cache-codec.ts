import { float32ToFloat16 } from '@qoq-med/tensor'

/** How keys and values of past tokens are kept: half or about a quarter of the memory of float32, rounded. */
export const cacheTypes = ['float32', 'float16', 'int8'] as const

/** One of `cacheTypes`. */
export type CacheType = (typeof cacheTypes)[number]

/** Arrays that a cache lies in. */
export type CacheArray = Float32Array | Uint16Array | Int8Array

/** How vectors of one key or value become elements of the cache's arrays. */
export interface CacheCodec {
  readonly dtype: CacheType
  /** Scales of a vector; 0 where its type has none. */
  readonly blocks: number
  /** An array on shared memory. */
  readonly create: (length: number) => CacheArray
  /** Writes a vector from `source` at `from` into element `to` of `target`, its scales from `scale` on. */
  readonly write: (source: Float32Array, from: number, into: CacheTarget) => void
}

/** Where a vector goes. */
export interface CacheTarget {
  readonly values: CacheArray
  readonly to: number
  readonly scales: Float32Array
  /** The first of its scales. */
  readonly scale: number
}

/** Codes that share a scale, as `Ops.cacheFloats` reads them. */
function blockOf(headDim: number): number {
  return headDim % 32 === 0 ? 32 : headDim
}

/** The codec of a type, for vectors of `headDim`. */
export function cacheCodec(type: CacheType, headDim: number): CacheCodec {
  if (type === 'float32') {
    const write: CacheCodec['write'] = (source, from, { values, to }) => {
      for (let i = 0; i < headDim; i++) values[to + i] = source[from + i]!
    }
    return { dtype: type, blocks: 0, create: length => new Float32Array(new SharedArrayBuffer(4 * length)), write }
  }
  if (type === 'float16') {
    const write: CacheCodec['write'] = (source, from, { values, to }) => {
      for (let i = 0; i < headDim; i++) values[to + i] = float32ToFloat16(source[from + i]!)
    }
    return { dtype: type, blocks: 0, create: length => new Uint16Array(new SharedArrayBuffer(2 * length)), write }
  }
  const block = blockOf(headDim)
  return {
    dtype: type,
    blocks: headDim / block,
    create: length => new Int8Array(new SharedArrayBuffer(length)),
    write: (source, from, into) => {
      for (let i = 0; i < headDim / block; i++) writeBlock(source, from + i * block, block, i, into)
    },
  }
}

/** Rounds a block: its largest magnitude becomes 127. */
function writeBlock(source: Float32Array, from: number, block: number, at: number, into: CacheTarget): void {
  let largest = 0
  for (let i = from; i < from + block; i++) largest = Math.max(largest, Math.abs(source[i]!))
  const scale = Math.fround(largest / 127)
  const inverse = scale === 0 ? 0 : 1 / scale
  into.scales[into.scale + at] = scale
  const to = into.to + at * block
  for (let i = 0; i < block; i++) into.values[to + i] = Math.round(source[from + i]! * inverse)
}

/** Bytes of one key or value vector. */
export function cacheVectorBytes(type: CacheType, headDim: number): number {
  if (type === 'int8') return headDim + 4 * (headDim / blockOf(headDim))
  return (type === 'float16' ? 2 : 4) * headDim
}

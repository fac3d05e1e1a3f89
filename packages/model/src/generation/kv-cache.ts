import { sizeOf, type ShapedArray } from '@qoq-med/tensor'
import type { DecoderConfig } from '../decoder/decoder-config.ts'
import { hidden } from '../decoder/later-tokens-mask.ts'
import { cacheCodec, type CacheArray, type CacheCodec, type CacheType } from './cache-codec.ts'

/**
 * Keys and values that a prefill computed, by the names `keys.i` and `values.i`: per layer [B, K, T, headDim], in the type of the
 * cache that they go to; of int8 also `keyScales.i` and `valueScales.i` [B, K, T, blocks].
 */
export type PrefillSlices = Readonly<Record<string, CacheArray>>

/** One array of the cache: `width` elements for every row, head and token. */
interface Slab {
  readonly name: string
  readonly width: number
  data: CacheArray
}

/**
 * Keys and values of the running sequences, a row per sequence: [rows, K, length, headDim] per layer, on shared memory so
 * that programs read it in place. Grows by buckets; rows are kept adjacent by `remove`.
 */
export class KvCache {
  /** Rows in use, the first ones. */
  rows = 0
  /** Rows and cached tokens per row that there is room for. */
  capacity: { readonly rows: number; readonly length: number } = { rows: 0, length: 0 }
  readonly #kvHeads: number
  readonly #headDim: number
  readonly #codec: CacheCodec
  /** Keys and values of layer 0, of layer 1, …, and their scales alike. */
  readonly #values: readonly Slab[]
  readonly #scales: readonly Slab[]
  #mask: Float32Array = new Float32Array(0)
  readonly #lengths: number[] = []

  constructor({ numLayers, numKvHeads, headDim }: DecoderConfig, type: CacheType = 'float32') {
    this.#kvHeads = numKvHeads
    this.#headDim = headDim
    this.#codec = cacheCodec(type, headDim)
    const { blocks } = this.#codec
    const slabs = (width: number, names: readonly string[]): Slab[] =>
      Array.from({ length: numLayers }, (_, layer) =>
        names.map(name => ({ name: `${name}.${layer}`, width, data: this.#codec.create(0) })),
      ).flat()
    this.#values = slabs(headDim, ['keys', 'values'])
    this.#scales = blocks === 0 ? [] : slabs(blocks, ['keyScales', 'valueScales'])
  }

  /** Cached tokens of a row. */
  lengthOf(row: number): number {
    return this.#lengths[row]!
  }

  /** The longest row. */
  get longest(): number {
    return Math.max(0, ...this.#lengths)
  }

  /** Makes room; what is cached stays. */
  reserve(rows: number, length: number): void {
    const old = this.capacity
    if (rows === old.rows && length === old.length) return
    for (const slab of this.#slabs()) {
      const { width, data: before } = slab
      const size = rows * this.#kvHeads * length * width
      slab.data = this.#values.includes(slab) ? this.#codec.create(size) : sharedFloats(size)
      for (let head = 0; head < this.rows * this.#kvHeads; head++) {
        const used = this.#lengths[Math.floor(head / this.#kvHeads)]! * width
        const from = head * old.length * width
        slab.data.set(before.subarray(from, from + used), head * length * width)
      }
    }
    this.#mask = sharedFloats(rows * length).fill(hidden)
    this.#lengths.forEach((used, row) => this.#mask.fill(0, row * length, row * length + used))
    this.capacity = { rows, length }
  }

  /**
   * Adds a row with a prompt's keys and values.
   *
   * @param index which of the prefill's B prompts
   * @param padded T, the prefill's length with padding
   * @param length tokens of the prompt
   */
  add(slices: PrefillSlices, index: number, padded: number, length: number): void {
    const row = this.rows++
    this.#lengths.push(length)
    for (const { name, width, data } of this.#slabs()) {
      const source = slices[name]! // the prefill's outputs
      for (let head = 0; head < this.#kvHeads; head++) {
        const from = (index * this.#kvHeads + head) * padded * width
        const to = (row * this.#kvHeads + head) * this.capacity.length * width
        data.set(source.subarray(from, from + length * width), to)
      }
    }
    const start = row * this.capacity.length
    this.#mask.fill(hidden, start, start + this.capacity.length).fill(0, start, start + length)
  }

  /** Adds a row of which nothing is cached yet. */
  open(): void {
    const row = this.rows++
    this.#lengths.push(0)
    this.#mask.fill(hidden, row * this.capacity.length, (row + 1) * this.capacity.length)
  }

  /**
   * Appends the new tokens of every row.
   *
   * @param present [2 * layers, batch * tokens, K, headDim] of a run with `batch` rows
   */
  append(present: Float32Array, { batch, tokens }: { readonly batch: number; readonly tokens: number }): void {
    const { length } = this.capacity
    const { write } = this.#codec
    for (let row = 0; row < this.rows; row++) {
      const place = this.#lengths[row]!
      for (const [at, { data: values, width }] of this.#values.entries()) {
        const scales = this.#scales[at]
        for (let token = 0; token < tokens; token++) {
          for (let head = 0; head < this.#kvHeads; head++) {
            const from = (((at * batch + row) * tokens + token) * this.#kvHeads + head) * this.#headDim
            const vector = (row * this.#kvHeads + head) * length + place + token
            const into = { scales: (scales?.data ?? noScales) as Float32Array, scale: vector * (scales?.width ?? 0) } // scales are floats
            write(present, from, { values, to: vector * width, ...into })
          }
        }
      }
      this.#mask.fill(0, row * length + place, row * length + place + tokens)
      this.#lengths[row]! += tokens
    }
  }

  /** Forgets what is cached of a row behind its first tokens. */
  truncate(row: number, length: number): void {
    this.#mask.fill(hidden, row * this.capacity.length + length, (row + 1) * this.capacity.length)
    this.#lengths[row] = length
  }

  /** Drops a row; the last one takes its place. Nothing stays of it: behind a mask, what is not a number would still be read. */
  remove(row: number): void {
    const last = --this.rows
    const { length } = this.capacity
    const used = this.#lengths[last]!
    for (const { data, width } of this.#slabs()) {
      const rowSize = this.#kvHeads * length * width
      data.copyWithin(row * rowSize, last * rowSize, (last + 1) * rowSize)
      for (let head = last * this.#kvHeads; head < (last + 1) * this.#kvHeads; head++) {
        data.fill(0, head * length * width, (head * length + used) * width)
      }
    }
    this.#mask.copyWithin(row * length, last * length, (last + 1) * length)
    this.#lengths[row] = this.#lengths[last]!
    this.#lengths.pop()
  }

  /** Drops all rows and their memory. */
  clear(): void {
    this.rows = 0
    this.#lengths.length = 0
    this.reserve(0, 0)
  }

  /** What programs read of the first rows, in place. */
  feeds(rows: number): Record<string, ShapedArray> {
    const { length } = this.capacity
    const slabs = this.#slabs().map(({ name, width, data }) => [name, fed(data, [rows, this.#kvHeads, length, width])])
    return { mask: fed(this.#mask, [rows, 1, 1, length]), ...Object.fromEntries(slabs) }
  }

  /** The cache by the names of a decode graph's inputs: `keys.i`, `values.i` and their scales. The arrays themselves, no copies. */
  arrays(): Record<string, CacheArray> {
    return Object.fromEntries(this.#slabs().map(({ name, data }) => [name, data]))
  }

  #slabs(): readonly Slab[] {
    return [...this.#values, ...this.#scales]
  }
}

function fed(data: CacheArray, shape: readonly number[]): ShapedArray {
  return { data: data.subarray(0, sizeOf(shape)), shape }
}

const noScales = new Float32Array(0)

function sharedFloats(length: number): Float32Array {
  return new Float32Array(new SharedArrayBuffer(length * Float32Array.BYTES_PER_ELEMENT))
}

import { sizeOf, type ShapedArray } from '@qoq-med/tensor'
import type { DecoderConfig } from '../decoder/decoder-config.ts'
import { hidden } from '../decoder/later-tokens-mask.ts'

/** Keys and values that a prefill computed: per layer [B, K, T, headDim], by the names `keys.i` and `values.i`. */
export type PrefillSlices = Readonly<Record<string, Float32Array>>

/**
 * Keys and values of the running sequences, a row per sequence: [rows, K, length, headDim] per layer, on shared memory so
 * that programs read it in place. Grows by buckets; rows are kept adjacent by `remove`.
 */
export class KvCache {
  /** Rows in use, the first ones. */
  rows = 0
  /** Rows and cached tokens per row that there is room for. */
  capacity: { readonly rows: number; readonly length: number } = { rows: 0, length: 0 }
  readonly #layers: number
  readonly #kvHeads: number
  readonly #headDim: number
  /** Keys and values of layer 0, of layer 1, … */
  #slabs: Float32Array[] = []
  #mask: Float32Array = new Float32Array(0)
  readonly #lengths: number[] = []

  constructor({ numLayers, numKvHeads, headDim }: DecoderConfig) {
    this.#layers = numLayers
    this.#kvHeads = numKvHeads
    this.#headDim = headDim
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
    const rowSize = this.#kvHeads * length * this.#headDim
    const slabs = Array.from({ length: 2 * this.#layers }, () => sharedFloats(rows * rowSize))
    for (const [at, slab] of slabs.entries()) {
      for (let head = 0; head < this.rows * this.#kvHeads; head++) {
        const used = this.#lengths[Math.floor(head / this.#kvHeads)]! * this.#headDim
        const from = head * old.length * this.#headDim
        slab.set(this.#slabs[at]!.subarray(from, from + used), head * length * this.#headDim)
      }
    }
    this.#slabs = slabs
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
    for (const [at, slab] of this.#slabs.entries()) {
      const source = slices[`${at % 2 === 0 ? 'keys' : 'values'}.${at >> 1}`]! // the prefill graph's outputs
      for (let head = 0; head < this.#kvHeads; head++) {
        const from = (index * this.#kvHeads + head) * padded * this.#headDim
        const to = (row * this.#kvHeads + head) * this.capacity.length * this.#headDim
        slab.set(source.subarray(from, from + length * this.#headDim), to)
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
    for (let row = 0; row < this.rows; row++) {
      const place = this.#lengths[row]!
      for (const [at, slab] of this.#slabs.entries()) {
        for (let token = 0; token < tokens; token++) {
          for (let head = 0; head < this.#kvHeads; head++) {
            const from = (((at * batch + row) * tokens + token) * this.#kvHeads + head) * this.#headDim
            const to = ((row * this.#kvHeads + head) * length + place + token) * this.#headDim
            for (let i = 0; i < this.#headDim; i++) slab[to + i] = present[from + i]!
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

  /** Drops a row; the last one takes its place. */
  remove(row: number): void {
    const last = --this.rows
    const { length } = this.capacity
    const rowSize = this.#kvHeads * length * this.#headDim
    for (const slab of this.#slabs) slab.copyWithin(row * rowSize, last * rowSize, (last + 1) * rowSize)
    this.#mask.copyWithin(row * length, last * length, (last + 1) * length)
    this.#lengths[row] = this.#lengths[last]!
    this.#lengths.pop()
  }

  /** What programs read of the first rows, in place. */
  feeds(rows: number): Record<string, ShapedArray> {
    const { length } = this.capacity
    const [kvHeads, headDim] = [this.#kvHeads, this.#headDim]
    return Object.fromEntries(
      Object.entries(this.arrays()).map(([name, data]) => {
        const shape = name === 'mask' ? [rows, 1, 1, length] : [rows, kvHeads, length, headDim]
        return [name, { data: data.subarray(0, sizeOf(shape)), shape }]
      }),
    )
  }

  /** The cache by the names of a decode graph's inputs: `mask`, `keys.i`, `values.i`. The arrays themselves, no copies. */
  arrays(): Record<string, Float32Array> {
    const slabs = this.#slabs.map((slab, at) => [`${at % 2 === 0 ? 'keys' : 'values'}.${at >> 1}`, slab] as const)
    return { mask: this.#mask, ...Object.fromEntries(slabs) }
  }
}

function sharedFloats(length: number): Float32Array {
  return new Float32Array(new SharedArrayBuffer(length * Float32Array.BYTES_PER_ELEMENT))
}

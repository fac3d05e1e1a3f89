/** Reads a file's numbers and texts in order; asking for more than is left is an error, before anything is allocated. */
export class ByteReader {
  readonly bytes: Uint8Array
  readonly #view: DataView
  readonly #fail: (problem: string) => Error
  at: number

  /** @param fail makes the error for what is wrong */
  constructor(bytes: Uint8Array, fail: (problem: string) => Error, at = 0) {
    this.bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#fail = fail
    this.at = at
  }

  get left(): number {
    return this.bytes.length - this.at
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1))
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2), true)
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true)
  }

  i8(): number {
    return this.#view.getInt8(this.#take(1))
  }

  i16(): number {
    return this.#view.getInt16(this.#take(2), true)
  }

  i32(): number {
    return this.#view.getInt32(this.#take(4), true)
  }

  i64(): bigint {
    return this.#view.getBigInt64(this.#take(8), true)
  }

  f32(): number {
    return this.#view.getFloat32(this.#take(4), true)
  }

  f64(littleEndian = true): number {
    return this.#view.getFloat64(this.#take(8), littleEndian)
  }

  /** An unsigned 64-bit number that must be a safe integer. */
  u64(): number {
    const value = this.#view.getBigUint64(this.#take(8), true)
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw this.#fail(`it claims a length of ${value}`)
    return Number(value)
  }

  /** The next `length` bytes, not copied. */
  take(length: number): Uint8Array {
    const start = this.#take(length)
    return this.bytes.subarray(start, start + length)
  }

  /** The next `length` bytes as UTF-8. */
  text(length: number): string {
    const bytes = this.take(length)
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    } catch {
      throw this.#fail(`the text at byte ${this.at - length} is not UTF-8`)
    }
  }

  #take(length: number): number {
    if (length > this.left)
      throw this.#fail(`it ends at byte ${this.bytes.length}, but ${length} more bytes are claimed at ${this.at}`)
    this.at += length
    return this.at - length
  }
}

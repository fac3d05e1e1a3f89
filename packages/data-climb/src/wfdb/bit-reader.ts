import { wfdbErrors } from './errors.ts'

/** Reads big-endian bit fields from bytes; a read past the end is an error, never zeros. */
export class BitReader {
  readonly #bytes: Uint8Array
  #bit: number

  constructor(bytes: Uint8Array, byteOffset: number) {
    this.#bytes = bytes
    this.#bit = byteOffset * 8
  }

  /** Byte position after the last aligned read. */
  get byteOffset(): number {
    return Math.ceil(this.#bit / 8)
  }

  /**
   * Reads an unsigned field.
   *
   * @param count 0 to 32 bits
   * @throws WFDB_BAD_FLAC past the end
   */
  read(count: number): number {
    if (this.#bit + count > this.#bytes.length * 8) throw wfdbErrors.BAD_FLAC({ problem: 'it ends inside a frame' })
    let value = 0
    let left = count
    while (left > 0) {
      const offset = this.#bit & 7
      const take = Math.min(8 - offset, left)
      const byte = this.#bytes[this.#bit >>> 3]! // bounded by the check above
      value = value * 2 ** take + ((byte >> (8 - offset - take)) & ((1 << take) - 1))
      this.#bit += take
      left -= take
    }
    return value
  }

  /** Reads a two's complement field of 0 to 32 bits. */
  readSigned(count: number): number {
    const value = this.read(count)
    return count > 0 && value >= 2 ** (count - 1) ? value - 2 ** count : value
  }

  /** Counts zero bits up to and including the next one bit. */
  readUnary(): number {
    let zeros = 0
    while (this.read(1) === 0) zeros++
    return zeros
  }

  /** Skips to the next byte. */
  align(): void {
    this.#bit = this.byteOffset * 8
  }
}

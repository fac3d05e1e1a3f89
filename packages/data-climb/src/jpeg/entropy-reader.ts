import { dataErrors } from '../errors.ts'

/** A Huffman table of a JPEG stream, in the form of its decoding procedure (T.81 F.2.2.3). */
export interface HuffmanTable {
  /** Largest code of each length 1 to 16, -1 where there is none. */
  readonly maxCode: Int32Array
  /** Value index minus code for each length. */
  readonly offset: Int32Array
  readonly values: Uint8Array
  /** Length << 8 | value for every 8-bit prefix, 0 where the code is longer. */
  readonly quick: Uint16Array
}

/** Builds a table from the code counts of lengths 1 to 16 and the values. */
export function huffmanTable(counts: Uint8Array, values: Uint8Array): HuffmanTable {
  const maxCode = new Int32Array(17).fill(-1)
  const offset = new Int32Array(17)
  const quick = new Uint16Array(256)
  for (let length = 1, code = 0, index = 0; length <= 16; length++, code <<= 1) {
    const count = counts[length - 1] ?? 0
    offset[length] = index - code
    for (let k = 0; k < count; k++, code++, index++)
      if (length <= 8)
        quick.fill((length << 8) | (values[index] ?? 0), code << (8 - length), (code + 1) << (8 - length))
    if (count > 0) maxCode[length] = code - 1
  }
  return { maxCode, offset, values, quick }
}

/** Reads the bits of entropy-coded JPEG data: stuffed zeros are dropped, markers end the data. */
export class EntropyReader {
  readonly #bytes: Uint8Array
  #at: number
  #bits = 0
  #count = 0
  #missing = 0

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes
    this.#at = at
  }

  /** Byte position of the next marker or data byte. */
  get position(): number {
    return this.#at
  }

  /** Decodes one Huffman value. */
  decode(table: HuffmanTable): number {
    this.#fill(16)
    const entry = table.quick[(this.#bits >>> (this.#count - 8)) & 0xff] ?? 0
    if (entry !== 0) {
      this.#count -= entry >> 8
      return entry & 0xff
    }
    for (let length = 9; length <= 16; length++) {
      const code = (this.#bits >>> (this.#count - length)) & (2 ** length - 1)
      if (code <= (table.maxCode[length] ?? -1)) {
        this.#count -= length
        return table.values[code + (table.offset[length] ?? 0)] ?? 0
      }
    }
    throw dataErrors.DICOM_INVALID({ problem: 'a JPEG frame holds a code that its tables lack' })
  }

  /** Reads a signed value of `size` bits in JPEG's form (T.81 F.2.2.1), 0 to 16 bits. */
  receiveExtend(size: number): number {
    if (size === 0) return 0
    this.#fill(size)
    this.#count -= size
    const value = (this.#bits >>> this.#count) & (2 ** size - 1)
    return value < 2 ** (size - 1) ? value - 2 ** size + 1 : value
  }

  /** Drops the rest of a byte and steps over a restart marker. */
  restart(): void {
    this.#bits = 0
    this.#count = 0
    if (this.#bytes[this.#at] === 0xff && (this.#bytes[this.#at + 1]! & 0xf8) === 0xd0) this.#at += 2 // at most one past the end
    else throw dataErrors.DICOM_INVALID({ problem: 'a JPEG frame lacks a restart marker' })
  }

  /** Takes bytes until no more fit, if fewer bits than needed are at hand. */
  #fill(need: number): void {
    if (this.#count >= need) return
    const bytes = this.#bytes
    let at = this.#at
    let bits = this.#bits
    let count = this.#count
    for (; count <= 24; count += 8) {
      const byte = bytes[at]
      if (byte === undefined || (byte === 0xff && bytes[at + 1] !== 0)) {
        // The last code may reach into bits that are not there; more than a few bytes of them mean truncation.
        if (count >= need) break
        if (++this.#missing > 8) throw dataErrors.DICOM_INVALID({ problem: 'a JPEG frame ends early' })
        bits = (bits << 8) | 0xff
        continue
      }
      bits = (bits << 8) | byte
      at += byte === 0xff ? 2 : 1
    }
    this.#at = at
    this.#bits = bits
    this.#count = count
  }
}

/** One damaged or forged file; its name says what is wrong. */
export interface MalformedFile {
  readonly name: string
  readonly bytes: Uint8Array
}

/** The beginnings of a file, at places spread over its length. */
export function truncations(source: Uint8Array, count: number): MalformedFile[] {
  return Array.from({ length: count }, (_, i) => Math.floor((i * source.length) / count)).map(length => ({
    name: `cut after ${length} bytes`,
    bytes: source.subarray(0, length),
  }))
}

/** A copy with some bytes replaced. */
export function overwritten(source: Uint8Array, at: number, bytes: Uint8Array | readonly number[]): Buffer {
  const copy = Buffer.from(source)
  copy.set(bytes, at)
  return copy
}

/** A 64-bit number, little-endian. */
export function uint64(value: bigint): Buffer {
  const buffer = Buffer.alloc(8)
  buffer.writeBigUInt64LE(BigInt.asUintN(64, value))
  return buffer
}

/** Counts that no file of a few kilobytes can keep. */
export const hugeCounts: readonly bigint[] = [
  2n ** 20n,
  2n ** 31n - 1n,
  2n ** 31n,
  2n ** 32n - 1n,
  2n ** 40n,
  2n ** 53n - 1n,
  2n ** 53n,
  2n ** 62n,
  2n ** 63n,
  2n ** 64n - 1n,
]

import { createHash } from 'node:crypto'

/** A permutation of 0 … length - 1: gives the number that stands at a place. */
export type Permutation = (at: number) => number

/**
 * A permutation that is computed, not stored: a Feistel network over the next power of four, walked until it falls inside
 * (Black & Rogaway 2002, cycle walking). Any place is found in constant time and memory.
 *
 * @param length numbers to permute, at most 2^52
 * @param key decides the order
 */
export function keyedPermutation(length: number, key: string): Permutation {
  const half = Math.max(1, Math.ceil(Math.log2(Math.max(2, length)) / 2))
  const mask = 2 ** half - 1
  const digest = createHash('sha256').update(key).digest()
  const keys = Array.from({ length: 6 }, (_, i) => digest.readUInt32LE(i * 4))
  const step = (value: number): number => {
    let [left, right] = [Math.floor(value / 2 ** half), value & mask]
    for (const round of keys) [left, right] = [right, (left ^ mixedBits(right ^ round)) & mask]
    return left * 2 ** half + right
  }
  return at => {
    let value = step(at)
    while (value >= length) value = step(value)
    return value
  }
}

/** Spreads the bits of a 32-bit number (the finaliser of MurmurHash3). */
function mixedBits(value: number): number {
  let bits = Math.imul(value ^ (value >>> 16), 0x85ebca6b)
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35)
  return (bits ^ (bits >>> 16)) >>> 0
}

const multipliers = [0xd2511f53, 0xcd9e8d57] as const
const keySteps = [0x9e3779b9, 0xbb67ae85] as const
const rounds = 10

/**
 * A random number for one place of one sequence, without any state: Philox4x32-10 (Salmon et al. 2011) of the counter
 * (place, sequence) under the key (seed). The same three numbers give the same result whatever was drawn before, so a
 * sequence's tokens do not depend on its neighbours in the batch.
 *
 * @param seed whole number below 2^53
 * @param sequence number of the sequence among those of the seed
 * @param place which draw of that sequence
 * @returns uniform in [0, 1), 53 bits
 */
export function counterRandom(seed: number, sequence: number, place: number): number {
  const [a, b] = philox([place >>> 0, high(place), sequence >>> 0, high(sequence)], [seed >>> 0, high(seed)])
  return ((a >>> 5) * 2 ** 26 + (b >>> 6)) * 2 ** -53
}

/** The Philox4x32-10 block function: four 32-bit words of noise from a counter and a key. */
export function philox(counter: Words4, key: readonly [number, number]): Words4 {
  let [c0, c1, c2, c3] = counter
  let [k0, k1] = key
  for (let round = 0; round < rounds; round++) {
    const left = multiplyHigh(multipliers[0], c0)
    const right = multiplyHigh(multipliers[1], c2)
    const lowLeft = Math.imul(multipliers[0], c0) >>> 0
    const lowRight = Math.imul(multipliers[1], c2) >>> 0
    ;[c0, c1, c2, c3] = [(right ^ c1 ^ k0) >>> 0, lowRight, (left ^ c3 ^ k1) >>> 0, lowLeft]
    k0 = (k0 + keySteps[0]) >>> 0
    k1 = (k1 + keySteps[1]) >>> 0
  }
  return [c0, c1, c2, c3]
}

/** Four unsigned 32-bit words. */
export type Words4 = readonly [number, number, number, number]

/** The upper 32 bits of a product of two unsigned 32-bit numbers. */
function multiplyHigh(a: number, b: number): number {
  const [aLow, aHigh, bLow, bHigh] = [a & 0xffff, a >>> 16, b & 0xffff, b >>> 16]
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16)
  const carry = (middle % 0x10000) + aLow * bHigh
  return (aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(carry / 0x10000)) >>> 0
}

function high(value: number): number {
  return Math.floor(value / 2 ** 32) >>> 0
}

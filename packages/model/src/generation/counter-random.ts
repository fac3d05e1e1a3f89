const multiplierA = 0xd2511f53
const multiplierB = 0xcd9e8d57
const keyStepA = 0x9e3779b9
const keyStepB = 0xbb67ae85
const rounds = 10

/** Four unsigned 32-bit words. */
export type Words4 = readonly [number, number, number, number]

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
  return uniform(a, b)
}

/**
 * A stream of the numbers of one sequence, for many draws: two from each block of noise.
 *
 * @returns uniform in [0, 1), 53 bits, a new one at every call
 */
export function counterStream(seed: number, sequence: number): () => number {
  let block = 0
  let spare: number | undefined
  return () => {
    if (spare !== undefined) {
      const kept = spare
      spare = undefined
      return kept
    }
    const [a, b, c, d] = philox([block >>> 0, high(block), sequence >>> 0, high(sequence)], [seed >>> 0, high(seed)])
    block++
    spare = uniform(c, d)
    return uniform(a, b)
  }
}

/** The Philox4x32-10 block function: four 32-bit words of noise from a counter and a key. */
export function philox(counter: Words4, key: readonly [number, number]): Words4 {
  let [c0, c1, c2, c3] = counter
  let [k0, k1] = key
  for (let round = 0; round < rounds; round++) {
    const left = multiplyHigh(multiplierA, c0)
    const right = multiplyHigh(multiplierB, c2)
    const lowLeft = Math.imul(multiplierA, c0) >>> 0
    const lowRight = Math.imul(multiplierB, c2) >>> 0
    c0 = (right ^ c1 ^ k0) >>> 0
    c1 = lowRight
    c2 = (left ^ c3 ^ k1) >>> 0
    c3 = lowLeft
    k0 = (k0 + keyStepA) >>> 0
    k1 = (k1 + keyStepB) >>> 0
  }
  return [c0, c1, c2, c3]
}

function uniform(a: number, b: number): number {
  return ((a >>> 5) * 2 ** 26 + (b >>> 6)) * 2 ** -53
}

/** The upper 32 bits of a product of two unsigned 32-bit numbers; every partial product stays an exact integer. */
function multiplyHigh(a: number, b: number): number {
  const bLow = b & 0xffff
  const bHigh = b >>> 16
  const low = (a & 0xffff) * bLow
  const middle = (a >>> 16) * bLow + (low >>> 16)
  const carry = (middle & 0xffff) + (a & 0xffff) * bHigh
  return ((a >>> 16) * bHigh + (middle - (middle & 0xffff)) / 0x10000 + (carry >>> 16)) >>> 0
}

function high(value: number): number {
  return Math.floor(value / 2 ** 32) >>> 0
}

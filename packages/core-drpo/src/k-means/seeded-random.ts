/**
 * Makes a random generator from a seed and the place where it is used, so that no two places share a stream
 * (mulberry32; integer arithmetic only, hence the same bits everywhere).
 *
 * @returns uniform numbers in [0, 1) with 32 random bits
 */
export function seededRandom(seed: number, ...place: readonly number[]): () => number {
  let state = place.reduce((mixed, part) => scramble(mixed ^ scramble(part + 0x9e3779b9)), scramble(seed))
  return () => {
    state = (state + 0x6d2b79f5) | 0
    return (scramble(state) >>> 0) / 4294967296
  }
}

function scramble(value: number): number {
  let mixed = value | 0
  mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
  return mixed ^ (mixed >>> 14)
}

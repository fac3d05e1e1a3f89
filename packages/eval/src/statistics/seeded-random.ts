import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'

/** Makes a generator of uniform draws in [0, 1): the same seed gives the same draws. */
export function seededRandom(seed: number): () => number {
  const generator = xoroshiro128plus(seed)
  return () => (generator.next() >>> 0) / 2 ** 32
}

/** Draws as many clusters as there are, with replacement; `weights[c]` becomes how often c came. */
export function drawWeights(weights: Float64Array, random: () => number): void {
  weights.fill(0)
  for (let i = 0; i < weights.length; i++) weights[Math.floor(random() * weights.length)]!++
}

/** Puts a list into a random order, in place (Fisher and Yates). */
export function shuffle(values: Int32Array, random: () => number): void {
  for (let i = values.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    const kept = values[i]!
    values[i] = values[j]!
    values[j] = kept
  }
}

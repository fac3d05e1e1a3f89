import { firstFive } from './distance-kernel.ts'
import type { WeightedPoints } from './unique-vectors.ts'

/**
 * Points whose rows have at least five numbers, shorter ones followed by zeros, which changes no distance: the distance
 * loops read five numbers without a loop, because the paper samples five rollouts.
 */
export interface PaddedPoints extends WeightedPoints {
  /** Numbers per row, at least five. */
  readonly dimension: number
}

/** Pads the rows of points for the distance loops. */
export function padPoints({ dimension, vectors, weights }: WeightedPoints): PaddedPoints {
  const padded = Math.max(dimension, 5)
  const rows = new Float64Array(weights.length * padded)
  for (let point = 0; point < weights.length; point++)
    rows.set(vectors.subarray(point * dimension, (point + 1) * dimension), point * padded)
  return { dimension: padded, vectors: rows, weights }
}

/** [U * U] squared distances between all points. */
export function pairwiseDistances({ dimension, vectors, weights }: PaddedPoints): Float64Array {
  const count = weights.length
  const distances = new Float64Array(count * count)
  for (let a = 0, from = 0; a < count; a++, from += dimension) {
    const x0 = vectors[from]!
    const x1 = vectors[from + 1]!
    const x2 = vectors[from + 2]!
    const x3 = vectors[from + 3]!
    const x4 = vectors[from + 4]!
    for (let b = 0, to = 0; b < a; b++, to += dimension) {
      let squared = firstFive(vectors, to, x0, x1, x2, x3, x4)
      for (let axis = 5; axis < dimension; axis++) squared += (vectors[from + axis]! - vectors[to + axis]!) ** 2
      distances[a * count + b] = squared
      distances[b * count + a] = squared
    }
  }
  return distances
}

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
export function pairwiseDistances({ dimension, vectors, weights }: WeightedPoints): Float64Array {
  const count = weights.length
  const distances = new Float64Array(count * count)
  for (let a = 0; a < count; a++) {
    for (let b = 0; b < a; b++) {
      let squared = 0
      for (let axis = 0; axis < dimension; axis++)
        squared += (vectors[a * dimension + axis]! - vectors[b * dimension + axis]!) ** 2
      distances[a * count + b] = squared
      distances[b * count + a] = squared
    }
  }
  return distances
}

import type { WeightedPoints } from './unique-vectors.ts'

/** Points that stand for a larger set. M points of U. */
export interface Coreset {
  readonly points: WeightedPoints
  /** [M] index of each in the larger set. */
  readonly indices: Int32Array
}

/**
 * Chooses points that stand for all in k-means (lightweight coreset; Bachem, Lucic & Krause 2018): each with a chance of
 * half its share of the weight and half its share of the squared distance to the mean, weighted by the inverse, so that
 * rare far points are not lost. The choice is systematic along the given order and hence needs no randomness.
 *
 * @param size how often is chosen; M is at most that
 */
export function lightweightCoreset(points: WeightedPoints, size: number): Coreset {
  const chances = chancesOf(points)
  const indices: number[] = []
  const weights: number[] = []
  let passed = 0
  chances.forEach((chance, point) => {
    const before = Math.floor(passed * size + 0.5)
    passed += chance
    const hits = Math.floor(passed * size + 0.5) - before
    if (hits === 0) return
    indices.push(point)
    weights.push((hits * points.weights[point]!) / (size * chance))
  })
  const vectors = indices.flatMap(point => [
    ...points.vectors.subarray(point * points.dimension, (point + 1) * points.dimension),
  ])
  return {
    points: { dimension: points.dimension, vectors: Float64Array.from(vectors), weights: Float64Array.from(weights) },
    indices: Int32Array.from(indices),
  }
}

/** [U] summing to 1. */
function chancesOf({ dimension, vectors, weights }: WeightedPoints): Float64Array {
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const mean = new Float64Array(dimension)
  vectors.forEach((value, at) => (mean[at % dimension]! += (value * weights[Math.floor(at / dimension)]!) / total))
  const spread = new Float64Array(weights.length)
  vectors.forEach((value, at) => {
    const point = Math.floor(at / dimension)
    spread[point]! += weights[point]! * (value - mean[at % dimension]!) ** 2
  })
  const inertia = spread.reduce((sum, value) => sum + value, 0)
  return weights.map(
    (weight, point) => weight / total / 2 + (inertia > 0 ? spread[point]! / inertia : weight / total) / 2,
  )
}

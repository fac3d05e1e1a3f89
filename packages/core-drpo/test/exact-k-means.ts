import type { WeightedPoints } from '../src/k-means/unique-vectors.ts'

/**
 * The least inertia of any division of a few points into k clusters, k = 1 … largestK, by dynamic programming over all
 * subsets (3^U steps: for U up to a dozen).
 */
export function exactInertias(points: WeightedPoints, largestK: number): number[] {
  const all = 2 ** points.weights.length - 1
  const alone = Float64Array.from({ length: all + 1 }, (_, subset) => subsetInertia(points, subset))
  const inertias = [alone[all]!]
  let best = alone
  while (inertias.length < largestK) {
    const next = new Float64Array(all + 1)
    for (let subset = 1; subset <= all; subset++) {
      const first = subset & -subset // some cluster has it; the others are divided before
      const rest = subset ^ first
      let least = Infinity
      for (let chosen = rest; ; chosen = (chosen - 1) & rest) {
        least = Math.min(least, alone[chosen | first]! + best[rest ^ chosen]!)
        if (chosen === 0) break
      }
      next[subset] = least
    }
    best = next
    inertias.push(best[all]!)
  }
  return inertias
}

function subsetInertia({ dimension, vectors, weights }: WeightedPoints, subset: number): number {
  const members = Array.from(weights.keys()).filter(point => (subset >> point) & 1)
  const total = members.reduce((sum, point) => sum + weights[point]!, 0)
  let inertia = 0
  for (let axis = 0; axis < dimension; axis++) {
    const value = (point: number): number => vectors[point * dimension + axis]!
    const mean = members.reduce((sum, point) => sum + (weights[point]! / total) * value(point), 0)
    inertia += members.reduce((sum, point) => sum + weights[point]! * (value(point) - mean) ** 2, 0)
  }
  return inertia
}

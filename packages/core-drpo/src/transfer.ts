import { centroidsOf, squaredDistance } from './clustering.ts'
import type { WeightedPoints } from './unique-vectors.ts'

/** Relative gain below which a transfer is rounding noise. */
const SMALLEST_GAIN = 1e-12

/** Sweeps over all points after which the search ends; it converges long before. */
const MAXIMUM_SWEEPS = 100

/**
 * Improves a clustering by moving single points (Hartigan & Wong 1979): a point x of weight w goes from cluster a to b
 * while that lowers the inertia, which Lloyd's rule of the nearest centroid overlooks:
 *
 *     gain = w·n_a / (n_a - w) · |x - c_a|² - w·n_b / (n_b + w) · |x - c_b|²
 *
 * @param assignments [U] cluster of each point; changed in place
 */
export function transferPoints(points: WeightedPoints, assignments: Int32Array, k: number): void {
  const centroids = centroidsOf(points, assignments, k)
  const sizes = new Float64Array(k)
  assignments.forEach((cluster, point) => (sizes[cluster]! += points.weights[point]!))
  for (let sweep = 0; sweep < MAXIMUM_SWEEPS; sweep++) {
    let hasMoved = false
    for (let point = 0; point < assignments.length; point++) {
      const target = bestTarget(points, point, assignments[point]!, centroids, sizes)
      if (target < 0) continue
      shift(points, point, centroids, sizes, assignments[point]!, -1)
      shift(points, point, centroids, sizes, target, 1)
      assignments[point] = target
      hasMoved = true
    }
    if (!hasMoved) return
  }
}

function bestTarget(
  points: WeightedPoints,
  point: number,
  from: number,
  centroids: Float64Array,
  sizes: Float64Array,
): number {
  const weight = points.weights[point]!
  if (sizes[from]! <= weight) return -1
  const loss = (weight * sizes[from]! * squaredDistance(points, point, centroids, from)) / (sizes[from]! - weight)
  let least = loss * (1 - SMALLEST_GAIN)
  let target = -1
  for (let cluster = 0; cluster < sizes.length; cluster++) {
    if (cluster === from) continue
    const cost =
      (weight * sizes[cluster]! * squaredDistance(points, point, centroids, cluster)) / (sizes[cluster]! + weight)
    if (cost < least) [least, target] = [cost, cluster]
  }
  return target
}

function shift(
  { dimension, vectors, weights }: WeightedPoints,
  point: number,
  centroids: Float64Array,
  sizes: Float64Array,
  cluster: number,
  sign: 1 | -1,
): void {
  const weight = sign * weights[point]!
  sizes[cluster]! += weight
  for (let axis = 0; axis < dimension; axis++) {
    const at = cluster * dimension + axis
    centroids[at]! += (weight / sizes[cluster]!) * (vectors[point * dimension + axis]! - centroids[at]!)
  }
}

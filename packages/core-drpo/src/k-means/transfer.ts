import { beyondFive, firstFive } from './distance-kernel.ts'
import type { GrowingClustering } from './growing-clustering.ts'

/** Relative gain below which a transfer is rounding noise. */
const SMALLEST_GAIN = 1e-12

/**
 * Moves single points to the cluster where they raise the inertia least (Hartigan & Wong 1979), until none moves. A point
 * x of weight w goes from cluster a to b when
 *
 *     w·n_b / (n_b + w) · |x - c_b|² < w·n_a / (n_a - w) · |x - c_a|²
 *
 * The result is also a fixed point of Lloyd's iterations, which overlook moves to a centroid that is farther but would
 * come along. Only clusters that changed since the sweep before are looked at.
 *
 * @param maximumSweeps passes over all points after which the search ends
 * @returns whether any point moved
 */
export function transferPoints(clustering: GrowingClustering, maximumSweeps: number): boolean {
  for (let sweep = 0; sweep < maximumSweeps; sweep++) {
    clustering.sweep += 1
    if (!sweepPoints(clustering)) return sweep > 0
  }
  return true
}

/** One pass over all points; false when none moved. The search spends its time here, so nothing is called per point. */
function sweepPoints(clustering: GrowingClustering): boolean {
  const { points, k, centroids, sizes, members, assignments, changedAt, sweep } = clustering
  const { dimension, vectors, weights } = points
  const since = sweep - 1
  let hasMoved = false
  for (let point = 0, from = 0; point < assignments.length; point++, from += dimension) {
    const own = assignments[point]!
    if (members[own] === 1) continue
    const isStale = changedAt[own]! < since
    const weight = weights[point]!
    const x0 = vectors[from]!
    const x1 = vectors[from + 1]!
    const x2 = vectors[from + 2]!
    const x3 = vectors[from + 3]!
    const x4 = vectors[from + 4]!
    const at = own * dimension
    const distance = firstFive(centroids, at, x0, x1, x2, x3, x4) + beyondFive(vectors, from, centroids, at, dimension)
    let least = ((distance * sizes[own]!) / (sizes[own]! - weight)) * (1 - SMALLEST_GAIN)
    let target = own
    for (let cluster = 0, to = 0; cluster < k; cluster++, to += dimension) {
      if (cluster === own || (isStale && changedAt[cluster]! < since)) continue
      const squared = firstFive(centroids, to, x0, x1, x2, x3, x4) + beyondFive(vectors, from, centroids, to, dimension)
      const sizeAfter = sizes[cluster]! + weight
      if (squared * sizes[cluster]! >= least * sizeAfter) continue
      least = (squared * sizes[cluster]!) / sizeAfter
      target = cluster
    }
    if (target === own) continue
    movePoint(clustering, point, target)
    hasMoved = true
  }
  return hasMoved
}

function movePoint(clustering: GrowingClustering, point: number, to: number): void {
  const { points, sizes, members, assignments, changedAt, sweep } = clustering
  const weight = points.weights[point]!
  const from = assignments[point]!
  sizes[from]! -= weight
  sizes[to]! += weight
  members[from]! -= 1
  members[to]! += 1
  shiftCentroid(clustering, point, from, -weight / sizes[from]!)
  shiftCentroid(clustering, point, to, weight / sizes[to]!)
  assignments[point] = to
  changedAt[from] = sweep
  changedAt[to] = sweep
}

function shiftCentroid({ points, centroids }: GrowingClustering, point: number, cluster: number, share: number): void {
  const { dimension, vectors } = points
  for (let axis = 0, at = cluster * dimension; axis < dimension; axis++, at++)
    centroids[at]! += share * (vectors[point * dimension + axis]! - centroids[at]!)
}

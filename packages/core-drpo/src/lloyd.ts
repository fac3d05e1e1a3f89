import { centroidsOf, squaredDistance } from './clustering.ts'
import type { WeightedPoints } from './unique-vectors.ts'

/** Iterations after which a run ends without a fixed point; real batches need a few dozen. */
const MAXIMUM_ITERATIONS = 300

/**
 * Lloyd's iterations from given centroids until no assignment changes. A cluster that loses its last point takes the
 * point farthest from its centroid, so that k clusters stay k.
 *
 * @param start [k * D] first centroids
 * @returns [U] cluster of each point
 */
export function lloyd(points: WeightedPoints, start: Float64Array): Int32Array {
  const k = start.length / points.dimension
  const assignments = new Int32Array(points.weights.length).fill(-1)
  let centroids = start
  for (let iteration = 0; iteration < MAXIMUM_ITERATIONS; iteration++) {
    if (!assignNearest(points, centroids, assignments)) break
    fillEmptyClusters(points, centroids, assignments, k)
    centroids = centroidsOf(points, assignments, k)
  }
  return assignments
}

function assignNearest(points: WeightedPoints, centroids: Float64Array, assignments: Int32Array): boolean {
  const { dimension, vectors } = points
  let hasChanged = false
  for (let point = 0; point < assignments.length; point++) {
    let nearest = 0
    let least = Infinity
    for (let at = 0; at < centroids.length; at += dimension) {
      let squared = 0
      for (let axis = 0; axis < dimension; axis++)
        squared += (vectors[point * dimension + axis]! - centroids[at + axis]!) ** 2
      if (squared < least) [nearest, least] = [at, squared]
    }
    nearest /= dimension
    if (assignments[point] === nearest) continue
    assignments[point] = nearest
    hasChanged = true
  }
  return hasChanged
}

function fillEmptyClusters(points: WeightedPoints, centroids: Float64Array, assignments: Int32Array, k: number): void {
  const members = new Int32Array(k)
  for (const cluster of assignments) members[cluster]! += 1
  for (let cluster = 0; cluster < k; cluster++) {
    if (members[cluster]! > 0) continue
    let farthest = 0
    let most = -1
    assignments.forEach((owner, point) => {
      const distance = squaredDistance(points, point, centroids, owner)
      if (members[owner]! > 1 && distance > most) [farthest, most] = [point, distance]
    })
    members[assignments[farthest]!]! -= 1
    members[cluster] = 1
    assignments[farthest] = cluster
  }
}

import type { Coreset } from './coreset.ts'
import { beyondFive, firstFive } from './distance-kernel.ts'
import { assignClusters, measure, placeCentroids, type GrowingClustering } from './growing-clustering.ts'
import { transferPoints } from './transfer.ts'

/** Sweeps over all points after the coreset; a fixed point has 0 to 0.1 % less inertia, in pure noise up to 2.5 %. */
const REFINING_SWEEPS = 10

/**
 * Lets all points settle around the centroids that a coreset has found.
 *
 * @param all clustering of all points; replaced
 * @param found clustering of the coreset's points
 */
export function refineWithAllPoints(all: GrowingClustering, { indices }: Coreset, found: GrowingClustering): void {
  const assignments = new Int32Array(all.assignments.length)
  for (let point = 0; point < assignments.length; point++) assignments[point] = findNearest(all, found, point)
  indices.forEach((point, at) => (assignments[point] = found.assignments[at]!)) // so that no cluster starts empty
  assignClusters(all, assignments, found.k)
  transferPoints(all, REFINING_SWEEPS)
  placeCentroids(all)
  measure(all)
}

function findNearest({ points }: GrowingClustering, { k, centroids }: GrowingClustering, point: number): number {
  const { dimension, vectors } = points
  const from = point * dimension
  const x0 = vectors[from]!
  const x1 = vectors[from + 1]!
  const x2 = vectors[from + 2]!
  const x3 = vectors[from + 3]!
  const x4 = vectors[from + 4]!
  let nearest = 0
  let least = Infinity
  for (let cluster = 0, to = 0; cluster < k; cluster++, to += dimension) {
    const squared = firstFive(centroids, to, x0, x1, x2, x3, x4) + beyondFive(vectors, from, centroids, to, dimension)
    if (squared >= least) continue
    least = squared
    nearest = cluster
  }
  return nearest
}

import { beyondFive, firstFive } from './distance-kernel.ts'
import type { PaddedPoints } from './k-means-points.ts'

/** A clustering that changes in place. U points, k clusters of at most K, rows of `dimension` numbers. */
export interface GrowingClustering {
  readonly points: PaddedPoints
  /** Clusters so far. */
  k: number
  /** [K * dimension] weighted means of the clusters. */
  readonly centroids: Float64Array
  /** [K] weight of each cluster. */
  readonly sizes: Float64Array
  /** [K] points of each cluster; never 0 below k. */
  readonly members: Int32Array
  /** [U] cluster of each point. */
  readonly assignments: Int32Array
  /** [U] squared distance to the point's centroid, when it was last measured. */
  readonly nearest: Float64Array
  /** Weighted sum of `nearest`. */
  inertia: number
  /** Sweeps of `transferPoints` so far. */
  sweep: number
  /** [K] sweep in which the cluster last gained or lost a point. */
  readonly changedAt: Int32Array
}

/** Makes a clustering of all points into one cluster, with room for `largestK`. */
export function createGrowingClustering(points: PaddedPoints, largestK: number): GrowingClustering {
  const count = points.weights.length
  const width = largestK * points.dimension
  const numbers = new Float64Array(width + largestK + count) // one buffer each: hundreds of these are made per batch
  const integers = new Int32Array(2 * largestK + count)
  const clustering: GrowingClustering = {
    points,
    k: 1,
    centroids: numbers.subarray(0, width),
    sizes: numbers.subarray(width, width + largestK),
    members: integers.subarray(0, largestK),
    assignments: integers.subarray(2 * largestK),
    nearest: numbers.subarray(width + largestK),
    inertia: 0,
    sweep: 0,
    changedAt: integers.subarray(largestK, 2 * largestK),
  }
  placeCentroids(clustering)
  measure(clustering)
  return clustering
}

/** Replaces what a clustering holds; `nearest` and `inertia` are left to `measure`. @param assignments [U] with every cluster below k present */
export function assignClusters(clustering: GrowingClustering, assignments: Int32Array, k: number): void {
  clustering.k = k
  clustering.assignments.set(assignments)
  clustering.changedAt.fill(clustering.sweep)
  placeCentroids(clustering)
}

/**
 * Makes a point the next centre; it and the points that are nearer to it than to their centroid join the new cluster. A
 * point that is alone in its cluster gives way to the first that is not, and no cluster loses its last point.
 *
 * @param distances [U * U] of `pairwiseDistances`
 * @param drawn index of the point, or -1 for none
 */
export function addCentre(clustering: GrowingClustering, distances: Float64Array, drawn: number): void {
  const { assignments, nearest, members, changedAt, sweep } = clustering
  const isUsable = drawn >= 0 && members[assignments[drawn]!]! > 1
  const seed = isUsable ? drawn : assignments.findIndex(cluster => members[cluster]! > 1)
  const cluster = clustering.k++
  const row = seed * assignments.length
  changedAt[cluster] = sweep
  for (let point = 0; point < assignments.length; point++) {
    const own = assignments[point]!
    if ((distances[row + point]! >= nearest[point]! && point !== seed) || members[own] === 1) continue
    members[own]! -= 1
    changedAt[own] = sweep
    assignments[point] = cluster
  }
  placeCentroids(clustering)
}

/** Measures the distances to the centroids, and the inertia. */
export function measure(clustering: GrowingClustering): void {
  const { points, centroids, assignments, nearest } = clustering
  const { dimension, vectors, weights } = points
  let inertia = 0
  for (let point = 0, from = 0; point < assignments.length; point++, from += dimension) {
    const to = assignments[point]! * dimension
    const near = firstFive(
      centroids,
      to,
      vectors[from]!,
      vectors[from + 1]!,
      vectors[from + 2]!,
      vectors[from + 3]!,
      vectors[from + 4]!,
    )
    nearest[point] = near + beyondFive(vectors, from, centroids, to, dimension)
    inertia += weights[point]! * nearest[point]!
  }
  clustering.inertia = inertia
}

/** Moves the centroids to the means of their points. */
export function placeCentroids({ points, k, centroids, sizes, members, assignments }: GrowingClustering): void {
  const { dimension, vectors, weights } = points
  centroids.fill(0)
  sizes.fill(0)
  members.fill(0)
  for (let point = 0, from = 0; point < assignments.length; point++, from += dimension) {
    const cluster = assignments[point]!
    const weight = weights[point]!
    const to = cluster * dimension
    sizes[cluster]! += weight
    members[cluster]! += 1
    centroids[to]! += weight * vectors[from]!
    centroids[to + 1]! += weight * vectors[from + 1]!
    centroids[to + 2]! += weight * vectors[from + 2]!
    centroids[to + 3]! += weight * vectors[from + 3]!
    centroids[to + 4]! += weight * vectors[from + 4]!
    for (let axis = 5; axis < dimension; axis++) centroids[to + axis]! += weight * vectors[from + axis]!
  }
  for (let cluster = 0, to = 0; cluster < k; cluster++)
    for (let axis = 0; axis < dimension; axis++) centroids[to++]! /= sizes[cluster]!
}

import type { Clustering } from './clustering.ts'
import { findElbow } from './elbow.ts'
import { createKMeans } from './k-means.ts'
import type { WeightedPoints } from './unique-vectors.ts'

/** How a domain's questions are clustered (B.1). */
export interface ClusterOptions {
  /** Largest k that is tried; the paper's 10. */
  readonly maxClusters: number
  /** τ of the elbow rule. */
  readonly elbowTolerance: number
  /** Runs of k-means per k. */
  readonly restarts: number
  readonly seed: number
}

/** The clusters of one domain, hardest (least mean reward) first. U different reward vectors, G rewards each. */
export interface RewardClusters {
  /** Chosen number of clusters. */
  readonly k: number
  /** I_1 … as far as the elbow search went. */
  readonly inertias: readonly number[]
  /** [U] cluster of each vector. */
  readonly clusterOf: Int32Array
  /** [k] questions per cluster, N_c. */
  readonly sizes: Float64Array
  /** [k] mean reward, μ_c. */
  readonly means: Float64Array
  /** [k * G] */
  readonly centroids: Float64Array
}

/**
 * Clusters the reward vectors of one domain with k-means, k by the elbow of appendix B.1: k runs from 1 to
 * min(maxClusters, U) and the search ends at the first elbow.
 *
 * @param vectors U different reward vectors with the number of questions that have them
 */
export function clusterRewards(vectors: WeightedPoints, options: ClusterOptions): RewardClusters {
  const kMeans = createKMeans(vectors, options)
  const largest = Math.min(options.maxClusters, vectors.weights.length)
  const clusterings: Clustering[] = []
  const inertias: number[] = []
  let chosen: number | undefined
  for (let k = 1; k <= largest && chosen === undefined; k++) {
    clusterings.push(kMeans.best(k))
    inertias.push(clusterings[k - 1]!.inertia)
    chosen = findElbow(inertias, options.elbowTolerance)
  }
  const k = chosen ?? largest
  return { k, inertias, ...hardestFirst(vectors, clusterings[k - 1]!, k) }
}

function hardestFirst(
  { dimension, weights }: WeightedPoints,
  { assignments, centroids }: Clustering,
  k: number,
): Omit<RewardClusters, 'k' | 'inertias'> {
  const rows = Array.from({ length: k }, (_, cluster) => {
    const centroid = centroids.slice(cluster * dimension, (cluster + 1) * dimension)
    return { cluster, centroid, mean: meanOf(centroid) }
  })
  rows.sort((a, b) => a.mean - b.mean || compareCentroids(a.centroid, b.centroid))
  const rankOf = new Int32Array(k)
  rows.forEach((row, rank) => (rankOf[row.cluster] = rank))
  const clusterOf = assignments.map(cluster => rankOf[cluster]!)
  const sizes = new Float64Array(k)
  clusterOf.forEach((cluster, point) => (sizes[cluster]! += weights[point]!))
  const sorted = new Float64Array(centroids.length)
  rows.forEach((row, rank) => sorted.set(row.centroid, rank * dimension))
  return { clusterOf, sizes, means: Float64Array.from(rows, row => row.mean), centroids: sorted }
}

function meanOf(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value / values.length, 0)
}

function compareCentroids(a: Float64Array, b: Float64Array): number {
  const axis = a.findIndex((value, index) => value !== b[index])
  return axis < 0 ? 0 : a[axis]! - b[axis]!
}

import { findElbow } from './k-means/elbow.ts'
import { kMeansByClusterCount, type Clustering } from './k-means/k-means.ts'
import type { WeightedPoints } from './k-means/unique-vectors.ts'

/** How a domain's questions are clustered (B.1). */
export interface ClusterOptions {
  /** Largest k that is tried; the paper's 10. */
  readonly maxClusters: number
  /** τ of the elbow rule. */
  readonly elbowTolerance: number
  /** Runs of k-means per k. */
  readonly restarts: number
  /** Points drawn per centre of k-means++, of which the best is taken; 0 for 2 + ⌊ln k⌋. */
  readonly candidates: number
  /** Integer; the same seed and vectors give the same bits. */
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
  /** [k][G] mean reward vector. */
  readonly centroids: readonly Float64Array[]
}

/**
 * Clusters the reward vectors of one domain with k-means, k by the elbow of appendix B.1: k runs from 1 to
 * min(maxClusters, U) and the search ends at the first elbow.
 *
 * @param vectors U different reward vectors with the number of questions that have them
 */
export function clusterRewards(vectors: WeightedPoints, options: ClusterOptions): RewardClusters {
  const unit = unitOf(vectors.vectors)
  const points = unit === 1 ? vectors : { ...vectors, vectors: vectors.vectors.map(reward => reward / unit) }
  const largestK = Math.min(options.maxClusters, vectors.weights.length)
  const clusterings: Clustering[] = []
  const inertias: number[] = []
  let chosen: number | undefined
  for (const clustering of kMeansByClusterCount(points, { ...options, largestK })) {
    clusterings.push(clustering)
    inertias.push(clustering.inertia)
    chosen = findElbow(inertias, options.elbowTolerance)
    if (chosen !== undefined) break
  }
  const k = chosen ?? largestK
  const clusters = hardestFirst(vectors, clusterings[k - 1]!.assignments, k)
  return { k, inertias: inertias.map(inertia => inertia * unit * unit), ...clusters }
}

/** Rewards beyond these magnitudes are measured in units of the largest, so that their squares neither overflow nor vanish. */
const USUAL = { least: 1e-100, most: 1e100 }

function unitOf(rewards: Float64Array): number {
  let largest = 0
  for (const reward of rewards) largest = Math.max(largest, Math.abs(reward))
  return largest === 0 || (largest > USUAL.least && largest < USUAL.most) ? 1 : largest
}

function hardestFirst(
  vectors: WeightedPoints,
  assignments: Int32Array,
  k: number,
): Omit<RewardClusters, 'k' | 'inertias'> {
  const { sizes, centroids } = meanVectors(vectors, assignments, k)
  const rows = centroids.map((centroid, cluster) => ({ cluster, centroid, mean: meanOf(centroid) }))
  rows.sort((a, b) => a.mean - b.mean || compareVectors(a.centroid, b.centroid))
  const rankOf = new Int32Array(k)
  rows.forEach((row, rank) => (rankOf[row.cluster] = rank))
  return {
    clusterOf: assignments.map(cluster => rankOf[cluster]!),
    sizes: Float64Array.from(rows, row => sizes[row.cluster]!),
    means: Float64Array.from(rows, row => row.mean),
    centroids: rows.map(row => row.centroid),
  }
}

function meanVectors(
  { dimension, vectors, weights }: WeightedPoints,
  assignments: Int32Array,
  k: number,
): { sizes: Float64Array; centroids: Float64Array[] } {
  const sizes = new Float64Array(k)
  assignments.forEach((cluster, point) => (sizes[cluster]! += weights[point]!))
  const centroids = Array.from({ length: k }, () => new Float64Array(dimension))
  assignments.forEach((cluster, point) => {
    const centroid = centroids[cluster]!
    const share = weights[point]! / sizes[cluster]!
    for (let axis = 0; axis < dimension; axis++) centroid[axis]! += share * vectors[point * dimension + axis]!
  })
  return { sizes, centroids }
}

function meanOf(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value / values.length, 0)
}

function compareVectors(a: Float64Array, b: Float64Array): number {
  const axis = a.findIndex((value, index) => value !== b[index])
  return axis < 0 ? 0 : a[axis]! - b[axis]!
}

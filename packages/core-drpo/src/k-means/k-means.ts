import { lightweightCoreset } from './coreset.ts'
import { createGrowingClustering } from './growing-clustering.ts'
import { padPoints } from './k-means-points.ts'
import { searchLargeSet, searchSmallSet, type KMeansOptions } from './k-means-search.ts'
import { refineWithAllPoints } from './refine.ts'
import type { WeightedPoints } from './unique-vectors.ts'

/** Points divided among k clusters. U points. */
export interface Clustering {
  /** [U] cluster of each point; every cluster has one. */
  readonly assignments: Int32Array
  /** Weighted sum of squared distances to the clusters' means. */
  readonly inertia: number
}

/** Up to so many points the search is thorough; a domain of 0/1 rewards of five rollouts has at most 2⁵. */
const SMALL_SET = 40

/** Beyond so many points the runs see a coreset of that size, and the best one goes on with all points. */
const CORESET_SIZE = 256

/**
 * Clusters points into 1, 2, … `largestK` clusters by k-means: k-means++ starts, `restarts` runs, Hartigan's transfers
 * of single points to a fixed point. The result depends on the points and the seed alone (docs/decisions tells why this
 * is not ml-kmeans, which is the tests' oracle).
 *
 * @param points U different points with weights (see `uniqueVectors`), of magnitudes whose squares are finite
 */
export function* kMeansByClusterCount(
  points: WeightedPoints,
  options: KMeansOptions,
): Generator<Clustering, void, void> {
  const unique = points.weights.length
  const search = unique <= CORESET_SIZE ? searchAll(points, options) : searchCoreset(points, options)
  for (let k = 1; k <= options.largestK; k++) {
    if (k === unique) yield { assignments: Int32Array.from(points.weights, (_, point) => point), inertia: 0 }
    else yield search()
  }
}

function searchAll(points: WeightedPoints, options: KMeansOptions): () => Clustering {
  const search = points.weights.length <= SMALL_SET ? searchSmallSet(points, options) : searchLargeSet(points, options)
  return () => {
    const { assignments, inertia } = search()
    return { assignments: assignments.slice(), inertia }
  }
}

function searchCoreset(points: WeightedPoints, options: KMeansOptions): () => Clustering {
  const coreset = lightweightCoreset(points, CORESET_SIZE)
  const search = searchLargeSet(coreset.points, options)
  const all = createGrowingClustering(padPoints(points), options.largestK)
  return () => {
    refineWithAllPoints(all, coreset, search())
    return { assignments: all.assignments.slice(), inertia: all.inertia }
  }
}

import { drpoErrors } from './errors.ts'
import { clusteringOf, type Clustering } from './clustering.ts'
import { lloyd } from './lloyd.ts'
import { seededRandom } from './seeded-random.ts'
import { createSeeder, type Seeder } from './k-means-plus-plus.ts'
import { transferPoints } from './transfer.ts'
import type { WeightedPoints } from './unique-vectors.ts'

/** Clusters the same points with one k after the other. */
export interface KMeansSearch {
  /** Best clustering into k clusters. @throws DRPO_CLUSTER_COUNT unless k is an integer from 1 to U */
  readonly best: (k: number) => Clustering
}

/** How hard k-means searches. */
export interface KMeansOptions {
  /** Runs of k-means++ and Lloyd per k; the one of least inertia is kept. */
  readonly restarts: number
  /** Integer; the same seed and points give the same bits. */
  readonly seed: number
}

/**
 * Prepares k-means for one set of points: k-means++ seeding and Lloyd's iterations to a fixed point, `restarts` times.
 *
 * @param points U different points with weights (see `uniqueVectors`)
 */
export function createKMeans(points: WeightedPoints, { restarts, seed }: KMeansOptions): KMeansSearch {
  const seeder = createSeeder(points)
  return {
    best: k => {
      const unique = points.weights.length
      if (!Number.isInteger(k) || k < 1 || k > unique) throw drpoErrors.CLUSTER_COUNT({ k, unique })
      if (k === unique) return ownClusters(points)
      return bestOf(points, seeder, k, k === 1 ? 1 : restarts, seed)
    },
  }
}

function bestOf(points: WeightedPoints, seeder: Seeder, k: number, restarts: number, seed: number): Clustering {
  let best: Clustering | undefined
  for (let restart = 0; restart < restarts; restart++) {
    const seeds = seeder(k, seededRandom(seed, k, restart))
    const assignments = lloyd(points, vectorsAt(points, seeds))
    transferPoints(points, assignments, k)
    const clustering = clusteringOf(points, assignments, k)
    if (best === undefined || clustering.inertia < best.inertia) best = clustering
  }
  return best! // restarts is at least 1
}

function ownClusters({ vectors, weights }: WeightedPoints): Clustering {
  return { assignments: Int32Array.from(weights, (_, point) => point), centroids: vectors.slice(), inertia: 0 }
}

function vectorsAt({ dimension, vectors }: WeightedPoints, seeds: Int32Array): Float64Array {
  const chosen = new Float64Array(seeds.length * dimension)
  seeds.forEach((seed, cluster) =>
    chosen.set(vectors.subarray(seed * dimension, (seed + 1) * dimension), cluster * dimension),
  )
  return chosen
}

import type { WeightedPoints } from './unique-vectors.ts'

/** Points divided among k centroids. U points of D numbers. */
export interface Clustering {
  /** [U] cluster of each point. */
  readonly assignments: Int32Array
  /** [k * D] weighted means of the clusters. */
  readonly centroids: Float64Array
  /** Weighted sum of squared distances to the centroids. */
  readonly inertia: number
}

/** The clustering that assignments make: their weighted means and its inertia, summed in the order of the points. */
export function clusteringOf(points: WeightedPoints, assignments: Int32Array, k: number): Clustering {
  const centroids = centroidsOf(points, assignments, k)
  let inertia = 0
  assignments.forEach((cluster, point) => {
    inertia += points.weights[point]! * squaredDistance(points, point, centroids, cluster)
  })
  return { assignments, centroids, inertia }
}

/** [k * D] weighted means; a cluster without points has NaN. */
export function centroidsOf(points: WeightedPoints, assignments: Int32Array, k: number): Float64Array {
  const { dimension, vectors, weights } = points
  const sizes = new Float64Array(k)
  const centroids = new Float64Array(k * dimension)
  for (let point = 0; point < weights.length; point++) {
    const cluster = assignments[point]!
    sizes[cluster]! += weights[point]!
    for (let axis = 0; axis < dimension; axis++)
      centroids[cluster * dimension + axis]! += weights[point]! * vectors[point * dimension + axis]!
  }
  return centroids.map((sum, at) => sum / sizes[Math.floor(at / dimension)]!)
}

/** Squared distance of a point to a centroid. */
export function squaredDistance(
  { dimension, vectors }: WeightedPoints,
  point: number,
  centroids: Float64Array,
  cluster: number,
): number {
  let squared = 0
  for (let axis = 0; axis < dimension; axis++)
    squared += (vectors[point * dimension + axis]! - centroids[cluster * dimension + axis]!) ** 2
  return squared
}

import { assignClusters, measure, type GrowingClustering } from './growing-clustering.ts'

/** Swaps that must fail before the search ends. */
const TRIALS = 6

/**
 * Improves a clustering by giving up one centre and drawing another (random swap; Fränti 2018). The clusters whose loss
 * costs least are tried in turn, until `TRIALS` swaps have not lowered the inertia.
 *
 * @param best of at least two clusters; replaced by what is better
 * @param trial scratch of the same points and room
 * @param addCentre draws a centre for a clustering and lets it settle
 */
export function swapCentres(
  best: GrowingClustering,
  trial: GrowingClustering,
  addCentre: (clustering: GrowingClustering) => void,
): void {
  let order = cheapestFirst(best)
  for (let failures = 0; failures < TRIALS; failures++) {
    assignClusters(trial, withoutCluster(best, order[failures % order.length]!), best.k - 1)
    measure(trial)
    addCentre(trial)
    if (!(trial.inertia < best.inertia * (1 - 1e-12))) continue
    assignClusters(best, trial.assignments, trial.k)
    measure(best)
    order = cheapestFirst(best)
    failures = -1
  }
}

/** Clusters in the order of what it would cost to merge each with another (Ward 1963). */
function cheapestFirst({ points, k, centroids, sizes }: GrowingClustering): number[] {
  const { dimension } = points
  const costs = Array.from({ length: k }, () => Infinity)
  for (let a = 1; a < k; a++) {
    for (let b = 0; b < a; b++) {
      let squared = 0
      for (let axis = 0; axis < dimension; axis++)
        squared += (centroids[a * dimension + axis]! - centroids[b * dimension + axis]!) ** 2
      const cost = (squared * sizes[a]! * sizes[b]!) / (sizes[a]! + sizes[b]!)
      costs[a] = Math.min(costs[a]!, cost)
      costs[b] = Math.min(costs[b]!, cost)
    }
  }
  return Array.from(costs.keys()).toSorted((a, b) => costs[a]! - costs[b]!)
}

/** Assignments after a cluster's points have gone to the nearest others; the last cluster takes its number. */
function withoutCluster(clustering: GrowingClustering, removed: number): Int32Array {
  const last = clustering.k - 1
  return clustering.assignments.map((cluster, point) => {
    const kept = cluster === removed ? nearestOther(clustering, point, removed) : cluster
    return kept === last ? removed : kept
  })
}

function nearestOther({ points, k, centroids }: GrowingClustering, point: number, own: number): number {
  const { dimension, vectors } = points
  let nearest = own === 0 ? 1 : 0
  let least = Infinity
  for (let cluster = 0; cluster < k; cluster++) {
    if (cluster === own) continue
    let squared = 0
    for (let axis = 0; axis < dimension; axis++)
      squared += (vectors[point * dimension + axis]! - centroids[cluster * dimension + axis]!) ** 2
    if (squared < least) [nearest, least] = [cluster, squared]
  }
  return nearest
}

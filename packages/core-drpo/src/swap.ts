import { assignClusters, measure, type GrowingClustering } from './growing-clustering.ts'

/** Swaps that must fail before the search ends, however few the centres. */
const LEAST_TRIALS = 12

/**
 * Improves a clustering by giving up one centre and drawing another (random swap; Fränti 2018), each centre in turn,
 * until no swap of a whole round, or of `LEAST_TRIALS`, lowers the inertia.
 *
 * @param best replaced by what is better
 * @param trial scratch of the same points and room
 * @param addCentre draws a centre for a clustering and lets it settle
 */
export function swapCentres(
  best: GrowingClustering,
  trial: GrowingClustering,
  addCentre: (clustering: GrowingClustering) => void,
): void {
  let untried = Math.max(best.k, LEAST_TRIALS)
  for (let cluster = 0; untried > 0; cluster = (cluster + 1) % best.k) {
    assignClusters(trial, withoutCluster(best, cluster), best.k - 1)
    measure(trial)
    addCentre(trial)
    untried -= 1
    if (trial.inertia >= best.inertia * (1 - 1e-12)) continue
    assignClusters(best, trial.assignments, trial.k)
    measure(best)
    untried = Math.max(best.k, LEAST_TRIALS)
  }
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

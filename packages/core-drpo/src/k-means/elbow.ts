/**
 * The elbow rule of appendix B.1. With ΔI_k = I_{k-1} - I_k, the smallest k ≥ 3 with
 *
 *     ΔI_k < tolerance · ΔI_{k-1}
 *
 * ends the search, and k - 1 clusters are chosen.
 *
 * @param inertias I_1, I_2, … as far as they are known
 * @param tolerance τ of the paper, 0.10
 * @returns the chosen number of clusters, or undefined when none of the given k ends the search
 */
export function findElbow(inertias: readonly number[], tolerance: number): number | undefined {
  for (let k = 3; k <= inertias.length; k++) {
    const decrease = inertias[k - 2]! - inertias[k - 1]!
    const decreaseBefore = inertias[k - 3]! - inertias[k - 2]!
    if (decrease < tolerance * decreaseBefore) return k - 1
  }
  return undefined
}

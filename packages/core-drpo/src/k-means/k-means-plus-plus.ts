/** What centres are drawn from, and how greedily. */
export interface CentreDraws {
  /** [U * U] of `pairwiseDistances`. */
  readonly distances: Float64Array
  /** Points drawn per centre, of which the best is taken; 0 for the usual 2 + ⌊ln k⌋. */
  readonly candidates: number
}

/**
 * Draws the next centre by greedy k-means++ (Arthur & Vassilvitskii 2007): of several points, each drawn with a
 * probability proportional to weight times squared distance to its centre, the one that would lower the sum of these
 * most.
 *
 * @param weights [U]
 * @param nearest [U] squared distance of each point to its centre
 * @param k centres so far
 * @returns index of a point that is not on its centre, or -1 if there is none
 */
export function drawCentre(
  weights: Float64Array,
  nearest: Float64Array,
  { distances, candidates }: CentreDraws,
  k: number,
  random: () => number,
): number {
  const count = weights.length
  let total = 0
  for (let point = 0; point < count; point++) total += weights[point]! * nearest[point]!
  let best = -1
  let most = -1
  if (total === 0) return best
  for (let trials = candidates > 0 ? candidates : 2 + Math.floor(Math.log(k)); trials > 0; trials--) {
    const candidate = draw(weights, nearest, random() * total)
    let gain = 0
    for (let point = 0, at = candidate * count; point < count; point++, at++) {
      const saved = nearest[point]! - distances[at]!
      if (saved > 0) gain += weights[point]! * saved
    }
    if (gain > most) [best, most] = [candidate, gain]
  }
  return best
}

/** The point at which the running sum of weight times distance passes `left`; never one of distance 0. */
function draw(weights: Float64Array, nearest: Float64Array, left: number): number {
  let rest = left
  let last = 0
  for (let point = 0; point < weights.length; point++) {
    if (nearest[point] === 0) continue
    last = point
    rest -= weights[point]! * nearest[point]!
    if (rest < 0) break
  }
  return last // rounding may leave a rest after the last point
}

/** Draws the first centre: any point, with a probability proportional to its weight. */
export function drawFirstCentre(weights: Float64Array, random: () => number): number {
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  return draw(weights, new Float64Array(weights.length).fill(1), random() * total)
}

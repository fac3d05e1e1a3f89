import type { WeightedPoints } from './unique-vectors.ts'

/** Draws k different points as first centroids; [k] point indices. */
export type Seeder = (k: number, random: () => number) => Int32Array

/**
 * Prepares greedy k-means++ (Arthur & Vassilvitskii 2007): each next centre is the best of 2 + ⌊ln k⌋ points drawn with
 * a probability proportional to weight times squared distance to the nearest centre so far.
 */
export function createSeeder(points: WeightedPoints): Seeder {
  const distances = pairwiseDistances(points)
  return (k, random) => {
    const seeds = new Int32Array(k)
    const mass = points.weights.slice() // before the first centre every point weighs its multiplicity
    seeds[0] = draw(mass, random)
    const nearest = distances.slice(seeds[0] * mass.length, (seeds[0] + 1) * mass.length)
    const trials = 2 + Math.floor(Math.log(k))
    for (let centre = 1; centre < k; centre++) {
      for (let point = 0; point < mass.length; point++) mass[point] = points.weights[point]! * nearest[point]!
      seeds[centre] = bestDraw(points.weights, distances, nearest, mass, trials, random)
      lower(nearest, distances, seeds[centre]!)
    }
    return seeds
  }
}

function pairwiseDistances({ dimension, vectors, weights }: WeightedPoints): Float64Array {
  const count = weights.length
  const distances = new Float64Array(count * count)
  for (let a = 0; a < count; a++) {
    for (let b = 0; b < a; b++) {
      let squared = 0
      for (let axis = 0; axis < dimension; axis++)
        squared += (vectors[a * dimension + axis]! - vectors[b * dimension + axis]!) ** 2
      distances[a * count + b] = squared
      distances[b * count + a] = squared
    }
  }
  return distances
}

function bestDraw(
  weights: Float64Array,
  distances: Float64Array,
  nearest: Float64Array,
  mass: Float64Array,
  trials: number,
  random: () => number,
): number {
  let best = 0
  let least = Infinity
  for (let trial = 0; trial < trials; trial++) {
    const candidate = draw(mass, random)
    let potential = 0
    for (let point = 0, at = candidate * mass.length; point < mass.length; point++, at++)
      potential += weights[point]! * Math.min(nearest[point]!, distances[at]!)
    if (potential < least) [best, least] = [candidate, potential]
  }
  return best
}

function lower(nearest: Float64Array, distances: Float64Array, centre: number): void {
  for (let point = 0, at = centre * nearest.length; point < nearest.length; point++, at++)
    if (distances[at]! < nearest[point]!) nearest[point] = distances[at]!
}

function draw(mass: Float64Array, random: () => number): number {
  let total = 0
  for (const value of mass) total += value
  let left = random() * total
  let last = 0
  for (let point = 0; point < mass.length; point++) {
    if (mass[point] === 0) continue
    last = point
    left -= mass[point]!
    if (left < 0) break
  }
  return last // rounding may leave a rest after the last point
}

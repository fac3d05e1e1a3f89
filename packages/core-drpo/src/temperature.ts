/**
 * The temperature of a domain or a cluster (eq. 2): T = max(√N · μ, ε). Small and hard ones are cold, and their
 * advantages, divided by T, large.
 *
 * @param count N, questions
 * @param mean μ, mean reward; a negative mean is clamped like a zero one
 * @param epsilon ε
 */
export function temperature(count: number, mean: number, epsilon = 1e-6): number {
  return Math.max(Math.sqrt(count) * mean, epsilon)
}

/**
 * Mean reward of a domain as the public code computes it: the clusters' means weighted by 1 / N_c.
 *
 * @param means [k] μ_c
 * @param sizes [k] N_c
 */
export function inverseClusterSizeMean(means: Float64Array, sizes: Float64Array): number {
  let sum = 0
  let weight = 0
  means.forEach((mean, cluster) => {
    sum += mean / sizes[cluster]!
    weight += 1 / sizes[cluster]!
  })
  return sum / weight
}

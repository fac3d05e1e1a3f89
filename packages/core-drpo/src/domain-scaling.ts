import type { DrpoOptions } from './drpo-options.ts'
import { pastVectors, type DrpoHistory } from './drpo-history.ts'
import { drpoErrors } from './errors.ts'
import type { QuestionGroups } from './reward-batch.ts'
import { clusterRewards, type RewardClusters } from './reward-clusters.ts'
import { inverseClusterSizeMean, temperature } from './temperature.ts'
import { uniqueVectors, type MergedVectors, type WeightedPoints } from './k-means/unique-vectors.ts'

/** Stage 1 and eq. 2 for one cluster. */
export interface ClusterStage {
  /** N_c, questions (all batches so far with a running history). */
  readonly size: number
  /** μ_c, mean reward. */
  readonly mean: number
  /** T_c */
  readonly temperature: number
  /** [G] mean reward vector. */
  readonly centroid: Float64Array
}

/** Stage 1 and eq. 2 for one domain. */
export interface DomainStage {
  readonly domain: string
  /** Question indices of this batch, ascending. */
  readonly questions: Int32Array
  /** N_g, questions (all batches so far with a running history). */
  readonly count: number
  /** Different reward vectors among them. */
  readonly uniqueVectors: number
  /** I_1 … as far as the elbow search went; empty where nothing was clustered. */
  readonly inertias: readonly number[]
  /** Chosen number of clusters; 0 where nothing was clustered (`domainOnly`). */
  readonly k: number
  /** μ_g */
  readonly mean: number
  /** T_g */
  readonly temperature: number
  /** [k] hardest first. */
  readonly clusters: readonly ClusterStage[]
  /** [questions.length] index into `clusters`; -1 where nothing was clustered. */
  readonly clusterOf: Int32Array
}

/** One domain's stage, and its vectors for the history. */
export interface ScaledDomain {
  readonly stage: DomainStage
  /** Of this batch and of the history. */
  readonly points: WeightedPoints
  /** Of this batch alone. */
  readonly own: WeightedPoints
}

/**
 * Clusters one domain's questions by their rewards and computes its temperatures (3.3, eq. 2, B.1).
 *
 * @param questions indices of the domain's questions
 * @param rewards [B]
 * @throws DRPO_ZERO_TEMPERATURE with `clampClusterTemperature: false`, for a cluster of mean reward 0
 */
export function scaleDomain(
  domain: string,
  questions: Int32Array,
  rewards: ArrayLike<number>,
  groups: QuestionGroups,
  groupSize: number,
  history: DrpoHistory,
  options: DrpoOptions,
): ScaledDomain {
  const own = uniqueVectors(rewardVectors(questions, rewards, groups, groupSize, options), groupSize)
  const { points, pointOf } = mergeVectors(own, pastVectors(history, domain, groupSize))
  const isClustered = !options.domainOnly || options.domainMean === 'inverseClusterSize'
  const clusters = isClustered ? clusterRewards(points, options) : undefined
  const count = points.weights.reduce((sum, weight) => sum + weight, 0)
  const mean =
    clusters !== undefined && options.domainMean === 'inverseClusterSize'
      ? inverseClusterSizeMean(clusters.means, clusters.sizes)
      : meanReward(points, count)
  const stage = {
    domain,
    questions,
    count,
    uniqueVectors: points.weights.length,
    inertias: clusters?.inertias ?? [],
    k: clusters?.k ?? 0,
    mean,
    temperature: boundedTemperature(count, mean, options),
    clusters: clusters === undefined ? [] : clusterStages(domain, clusters, options),
    clusterOf: questions.map((_, position) => clusters?.clusterOf[pointOf[position]!] ?? -1),
  }
  return { stage, points, own: own.points }
}

function rewardVectors(
  questions: Int32Array,
  rewards: ArrayLike<number>,
  groups: QuestionGroups,
  groupSize: number,
  { sortRewards }: DrpoOptions,
): Float64Array {
  const vectors = new Float64Array(questions.length * groupSize)
  questions.forEach((question, row) => {
    const start = groups.starts[question]!
    for (let rollout = 0; rollout < groupSize; rollout++)
      vectors[row * groupSize + rollout] = rewards[groups.responses[start + rollout]!]!
    if (sortRewards) vectors.subarray(row * groupSize, (row + 1) * groupSize).sort()
  })
  return vectors
}

function mergeVectors(own: MergedVectors, past: WeightedPoints | undefined): MergedVectors {
  if (past === undefined) return own
  const { dimension, vectors, weights } = own.points
  const both = uniqueVectors(concat(vectors, past.vectors), dimension, concat(weights, past.weights))
  return { points: both.points, pointOf: own.pointOf.map(point => both.pointOf[point]!) }
}

function concat(a: Float64Array, b: Float64Array): Float64Array {
  const both = new Float64Array(a.length + b.length)
  both.set(a)
  both.set(b, a.length)
  return both
}

function meanReward({ dimension, vectors, weights }: WeightedPoints, count: number): number {
  let mean = 0
  for (let at = 0; at < vectors.length; at++)
    mean += (weights[Math.floor(at / dimension)]! / count) * (vectors[at]! / dimension)
  return mean
}

function clusterStages(
  domain: string,
  { sizes, means, centroids }: RewardClusters,
  options: DrpoOptions,
): ClusterStage[] {
  const { clampClusterTemperature, domainOnly } = options
  return Array.from(sizes, (size, cluster) => {
    const mean = means[cluster]!
    const plain = Math.sqrt(size) * mean
    if (plain === 0 && !clampClusterTemperature && !domainOnly)
      throw drpoErrors.ZERO_TEMPERATURE({ domain, temperature: plain })
    return {
      size,
      mean,
      temperature: clampClusterTemperature ? boundedTemperature(size, mean, options) : plain,
      centroid: centroids[cluster]!,
    }
  })
}

/**
 * Refuses questions of unequal rewards in a domain or cluster whose mean is not positive: divided by T = ε they would swamp
 * the batch. Questions of equal rewards have advantages of zero whatever T is.
 *
 * @param deviations [Q] σ_q
 * @throws DRPO_NON_POSITIVE_MEAN
 */
export function requirePositiveMeans(domains: readonly DomainStage[], deviations: Float64Array): void {
  for (const { domain, mean, questions, clusters, clusterOf } of domains)
    questions.forEach((question, position) => {
      const cluster = clusters[clusterOf[position]!]
      if (deviations[question] === 0) return
      if (mean <= 0) throw drpoErrors.NON_POSITIVE_MEAN({ part: `domain ${domain}`, mean })
      if (cluster && cluster.mean <= 0)
        throw drpoErrors.NON_POSITIVE_MEAN({ part: `cluster of domain ${domain}`, mean: cluster.mean })
    })
}

/** Eq. 2 with its bounds. */
function boundedTemperature(count: number, mean: number, { epsilon, temperatureFloor }: DrpoOptions): number {
  return temperature(count, mean, Math.max(epsilon, temperatureFloor))
}

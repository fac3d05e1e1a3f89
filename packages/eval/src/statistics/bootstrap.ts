import { evalErrors } from '../errors.ts'
import { ratio } from '../metrics/label-counts.ts'
import type { Outcomes } from '../metrics/outcomes.ts'
import { type ClusterIndex, clusterIndex } from './cluster-index.ts'
import { drawWeights } from './seeded-random.ts'

/** How a bootstrap draws. */
export interface BootstrapOptions {
  /** Uniform draws in [0, 1), from a seeded generator: the only source of chance. */
  readonly random: () => number
  /** R, how many times the data are redrawn; 1,000 by default. */
  readonly resamples?: number
  /** [N] the cluster (patient, study) of each row; clusters are drawn whole. Without it every row is its own. */
  readonly clusters?: readonly (string | number)[]
}

/** What a metric came to in each of R redraws. */
export interface BootstrapDistribution {
  /** [R] balanced accuracy, eq. 12. */
  readonly accuracy: Float64Array
  /** [R] macro-F1, eq. 13. */
  readonly f1: Float64Array
  /** [R] share of exactly right rows. */
  readonly exactMatch: Float64Array
}

/** The ends of a confidence interval; both NaN where none can be drawn. */
export interface Interval {
  readonly lower: number
  readonly upper: number
  /**
   * How it was made, where not by redrawing: every redraw gave one value (all rows right, all wrong, too few patients), so
   * a share has Wilson's interval, and another metric none.
   */
  readonly method?: 'wilson' | 'none'
}

/**
 * Redraws a dataset's rows (or clusters of rows) with replacement and computes the metrics of each redraw.
 *
 * @returns the distribution of each metric
 * @throws EVAL_NO_ROWS for a dataset without rows
 * @throws EVAL_LENGTH_MISMATCH when `clusters` has not one entry per row
 * @throws EVAL_VALUE_OUT_OF_RANGE when `resamples` is not a positive integer
 */
export function bootstrapOutcomes(outcomes: Outcomes, options: BootstrapOptions): BootstrapDistribution {
  const [distribution] = bootstrapTogether([outcomes], options)
  return distribution! // one in, one out
}

/**
 * Redraws several systems' outcomes over the same rows with the same draws, so that their differences are paired.
 *
 * @param systems K outcomes over the same N rows
 * @returns [K] distributions
 * @throws EVAL_NO_ROWS, EVAL_LENGTH_MISMATCH, EVAL_VALUE_OUT_OF_RANGE as `bootstrapOutcomes`
 */
export function bootstrapTogether(systems: readonly Outcomes[], options: BootstrapOptions): BootstrapDistribution[] {
  const { random, resamples = 1000 } = options
  const numRows = systems[0]?.exact.length ?? 0
  if (numRows === 0) throw evalErrors.NO_ROWS({ what: 'a bootstrap' })
  if (!(Number.isInteger(resamples) && resamples > 0))
    throw evalErrors.VALUE_OUT_OF_RANGE({ name: 'resamples', value: resamples, range: 'the positive integers' })
  const clusterOf = clusterIndices(options.clusters, numRows)
  const packed = systems.map(outcomes => packOutcomes(outcomes, clusterOf))
  const distributions = systems.map(() => emptyDistribution(resamples))
  const weights = new Float64Array(clusterOf.count)
  for (let resample = 0; resample < resamples; resample++) {
    drawWeights(weights, random)
    for (const [k, outcomes] of packed.entries()) recordResample(distributions[k]!, resample, outcomes, weights)
  }
  return distributions
}

/**
 * Takes the central interval of a distribution, with linear interpolation between its values.
 *
 * @param values [R] in any order
 * @param level share of the distribution inside, in (0, 1)
 * @throws EVAL_NO_ROWS for an empty distribution
 */
export function percentileInterval(values: Float64Array, level = 0.95): Interval {
  if (values.length === 0) throw evalErrors.NO_ROWS({ what: 'an interval' })
  if (!(level > 0 && level < 1)) throw evalErrors.VALUE_OUT_OF_RANGE({ name: 'level', value: level, range: '(0, 1)' })
  const sorted = values.toSorted()
  const at = (share: number): number => {
    const position = share * (sorted.length - 1)
    const [low, high] = [sorted[Math.floor(position)]!, sorted[Math.ceil(position)]!]
    return low + (high - low) * (position - Math.floor(position))
  }
  return { lower: at((1 - level) / 2), upper: at((1 + level) / 2) }
}

/** Takes the standard deviation (n - 1) of a bootstrap distribution, the standard error of its metric. */
export function standardError(values: Float64Array): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1))
}

interface ClusterIndices extends ClusterIndex {
  /** Rows of the largest cluster. */
  readonly largest: number
}

/** A dataset's counts, summed per cluster, several small integers to a float64 so that one addition adds them all. */
interface PackedOutcomes {
  readonly numLabels: number
  /** [W][C] word w of every cluster. */
  readonly words: readonly Float64Array[]
  /** Counts per word; a word is the sum of count * base^position. */
  readonly perWord: number
  readonly base: number
}

function clusterIndices(clusters: BootstrapOptions['clusters'], numRows: number): ClusterIndices {
  if (clusters !== undefined && clusters.length !== numRows)
    throw evalErrors.LENGTH_MISMATCH({ what: 'rows and clusters', first: numRows, second: clusters.length })
  const index = clusterIndex(clusters ?? Array.from({ length: numRows }, () => undefined))
  const sizes = new Int32Array(index.count)
  for (const cluster of index.ofRow) sizes[cluster]! += 1
  return { ...index, largest: sizes.reduce((most, size) => Math.max(most, size), 0) }
}

/** Counts, in this order: rows, exactly right rows, then per label its hits (both) and its errors (one without the other). */
function packOutcomes({ labels, cells, exact }: Outcomes, clusters: ClusterIndices): PackedOutcomes {
  const numLabels = labels.length
  // No sum of a redraw exceeds clusters * largest; below 2^53 the packed sums are exact integers.
  const base = clusters.count * clusters.largest + 1
  const perWord = Math.max(1, Math.floor(53 / Math.log2(base)))
  const numCounts = 2 + 2 * numLabels
  const words = Array.from({ length: Math.ceil(numCounts / perWord) }, () => new Float64Array(clusters.count))
  const slots = Array.from({ length: numCounts }, (_, slot) => ({
    word: words[Math.floor(slot / perWord)]!,
    unit: base ** (slot % perWord),
  }))
  const add = (slot: number, row: number): void => {
    const { word, unit } = slots[slot]!
    word[clusters.ofRow[row]!]! += unit
  }
  for (let row = 0; row < exact.length; row++) {
    add(0, row)
    if (exact[row] === 1) add(1, row)
    for (let label = 0; label < numLabels; label++) {
      const cell = cells[row * numLabels + label]!
      if (cell !== 0) add(2 + 2 * label + (cell === 3 ? 0 : 1), row)
    }
  }
  return { numLabels, words, perWord, base }
}

function recordResample(
  into: BootstrapDistribution,
  resample: number,
  outcomes: PackedOutcomes,
  weights: Float64Array,
): void {
  const { numLabels, words, perWord, base } = outcomes
  const counts = words.flatMap(word => unpack(dot(word, weights), perWord, base))
  const rows = counts[0]!
  let accuracy = 0
  let f1 = 0
  for (let label = 0; label < numLabels; label++) {
    const hits = counts[2 + 2 * label]!
    const errors = counts[3 + 2 * label]!
    accuracy += (rows - errors) / rows
    f1 += ratio(2 * hits, 2 * hits + errors)
  }
  into.accuracy[resample] = accuracy / numLabels
  into.f1[resample] = f1 / numLabels
  into.exactMatch[resample] = counts[1]! / rows
}

function unpack(word: number, perWord: number, base: number): number[] {
  const counts: number[] = []
  for (let rest = word; counts.length < perWord; rest = Math.floor(rest / base)) counts.push(rest % base)
  return counts
}

/** Four sums side by side: one alone would wait for each addition. All are integers, so the order does not matter. */
function dot(a: Float64Array, b: Float64Array): number {
  // Not one destructuring: V8 then keeps the sums outside registers, which is four times slower.
  let s0 = 0
  let s1 = 0
  let s2 = 0
  let s3 = 0
  let i = 0
  for (; i + 3 < a.length; i += 4) {
    s0 += a[i]! * b[i]!
    s1 += a[i + 1]! * b[i + 1]!
    s2 += a[i + 2]! * b[i + 2]!
    s3 += a[i + 3]! * b[i + 3]!
  }
  for (; i < a.length; i++) s0 += a[i]! * b[i]!
  return s0 + s1 + s2 + s3
}

function emptyDistribution(resamples: number): BootstrapDistribution {
  const empty = (): Float64Array => new Float64Array(resamples)
  return { accuracy: empty(), f1: empty(), exactMatch: empty() }
}

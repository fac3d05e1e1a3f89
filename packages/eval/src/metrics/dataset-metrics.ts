import { type LabelCounts, labelMetrics, type LabelMetrics, ratio } from './label-counts.ts'
import type { Outcomes } from './outcomes.ts'

/**
 * How the labels of a dataset are averaged. `paper`: mean of label accuracies (eq. 12). `recall`: mean recall over the
 * labels that occur in the truth, scikit-learn's balanced accuracy where every row has one label.
 */
export type BalancedAccuracy = 'paper' | 'recall'

/**
 * Which labels count. `list`: every label of the dataset, as D.2 says. `truth`: only those that are true somewhere,
 * as the public evaluation code does (its result depends on which rows were drawn).
 */
export type LabelSet = 'list' | 'truth'

/** Choices where the paper and common practice, or the public code, differ; the paper is the default. */
export interface MetricOptions {
  readonly balancedAccuracy?: BalancedAccuracy
  readonly labelSet?: LabelSet
}

/** The averages that tables 2 and 6-12 print, each in [0, 1]. */
export interface AveragedMetrics {
  /** Balanced accuracy, eq. 12 unless `balancedAccuracy: 'recall'` was asked for. */
  readonly accuracy: number
  /** Mean sensitivity over labels. */
  readonly sensitivity: number
  /** Mean specificity over labels. */
  readonly specificity: number
  /** Macro-F1, eq. 13. */
  readonly f1: number
  /** Mean precision over labels. */
  readonly precision: number
  /** Mean recall over labels; the same number as `sensitivity`. */
  readonly recall: number
  /** Share of rows whose predicted labels are exactly the true ones. */
  readonly exactMatch: number
  /** F1 of the counts summed over labels. */
  readonly microF1: number
  /** Mean of label F1, weighted by support. */
  readonly weightedF1: number
  /** Mean of each row's F1 over its labels. */
  readonly samplesF1: number
  /** Share of wrong (row, label) cells. */
  readonly hammingLoss: number
  /** Share of rows whose response held no answer. */
  readonly unparseable: number
}

/** Everything about one dataset. */
export interface DatasetMetrics extends AveragedMetrics {
  readonly domain: string
  /** Number of rows. */
  readonly support: number
  /** Counts and shares of each label, eqs. 8-11. */
  readonly perLabel: Readonly<Record<string, LabelMetrics>>
}

/**
 * Computes a dataset's balanced accuracy (eq. 12), macro-F1 (eq. 13) and the other averages over its labels.
 *
 * @param outcomes [N, L] indicators; N = 0 gives zeros
 */
export function datasetMetrics(outcomes: Outcomes, domain: string, options: MetricOptions = {}): DatasetMetrics {
  const { balancedAccuracy = 'paper', labelSet = 'list' } = options
  const counts = countOutcomes(outcomes)
  const all = outcomes.labels.map((label, index) => [label, labelMetrics(counts[index]!)] as const) // one count per label
  const kept = labelSet === 'list' ? all : all.filter(([, metrics]) => metrics.support > 0)
  const labels = kept.map(([, metrics]) => metrics)
  const mean = meanOver(labels)
  const seen = labels.filter(metrics => metrics.support > 0)
  return {
    domain,
    support: outcomes.exact.length,
    accuracy: balancedAccuracy === 'paper' ? mean('accuracy') : meanOver(seen)('recall'),
    sensitivity: mean('sensitivity'),
    specificity: mean('specificity'),
    f1: mean('f1'),
    precision: mean('precision'),
    recall: mean('recall'),
    ...rowAverages(outcomes),
    ...pooledF1(labels),
    perLabel: Object.fromEntries(kept),
  }
}

/** Sums each label's confusion counts over the rows of a dataset. */
export function countOutcomes({ labels, cells }: Pick<Outcomes, 'labels' | 'cells'>): LabelCounts[] {
  const tally = new Int32Array(labels.length * 4)
  for (let i = 0; i < cells.length;) {
    for (let slot = 0; slot < tally.length; slot += 4, i++) tally[slot + cells[i]!]!++
  }
  return labels.map((_, label) => {
    const [tn = 0, fn = 0, fp = 0, tp = 0] = tally.subarray(label * 4)
    return { tp, fp, fn, tn }
  })
}

function meanOver(labels: readonly LabelMetrics[]): (name: keyof LabelMetrics) => number {
  return name =>
    ratio(
      labels.reduce((sum, metrics) => sum + metrics[name], 0),
      labels.length,
    )
}

function pooledF1(labels: readonly LabelMetrics[]): Pick<AveragedMetrics, 'microF1' | 'weightedF1'> {
  const sum = (value: (metrics: LabelMetrics) => number): number => labels.reduce((all, one) => all + value(one), 0)
  const [tp, wrong] = [sum(one => one.tp), sum(one => one.fp + one.fn)]
  return {
    microF1: ratio(2 * tp, 2 * tp + wrong),
    weightedF1: ratio(
      sum(one => one.f1 * one.support),
      sum(one => one.support),
    ),
  }
}

function rowAverages({
  labels,
  cells,
  exact,
  unparseable,
}: Outcomes): Pick<AveragedMetrics, 'exactMatch' | 'samplesF1' | 'hammingLoss' | 'unparseable'> {
  let f1 = 0
  let wrong = 0
  let exactRows = 0
  for (let row = 0; row < exact.length; row++) {
    let both = 0
    let either = 0
    for (let i = row * labels.length; i < (row + 1) * labels.length; i++) {
      const cell = cells[i]!
      if (cell === 3) both++
      else if (cell !== 0) either++
    }
    f1 += ratio(2 * both, 2 * both + either)
    wrong += either
    exactRows += exact[row]!
  }
  return {
    exactMatch: ratio(exactRows, exact.length),
    samplesF1: ratio(f1, exact.length),
    hammingLoss: ratio(wrong, cells.length),
    unparseable: ratio(unparseable, exact.length),
  }
}

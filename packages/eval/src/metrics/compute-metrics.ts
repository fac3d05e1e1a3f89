import { type AveragedMetrics, type DatasetMetrics, datasetMetrics, type MetricOptions } from './dataset-metrics.ts'
import { evalErrors } from '../errors.ts'
import { encodeOutcomes, labelListOf, type MetricRow } from './outcomes.ts'

/** A domain's unweighted mean over its datasets (eq. 14). */
export interface DomainMetrics extends AveragedMetrics {
  /** Number of datasets averaged. */
  readonly datasets: number
  /** Number of rows in them. */
  readonly support: number
}

/** The unweighted mean over domains (eq. 15). */
export interface OverallMetrics extends AveragedMetrics {
  /** Number of domains averaged: the paper's formula says 9, its table 2 lists 8; we divide by those present. */
  readonly domains: number
  /** Number of rows in them. */
  readonly support: number
}

/** Per dataset, per domain, overall: the answer of `qoq metrics --json`. */
export interface Metrics {
  readonly datasets: Readonly<Record<string, DatasetMetrics>>
  readonly domains: Readonly<Record<string, DomainMetrics>>
  readonly overall: OverallMetrics
}

const averaged = [
  'accuracy',
  'sensitivity',
  'specificity',
  'f1',
  'precision',
  'recall',
  'exactMatch',
  'microF1',
  'weightedF1',
  'samplesF1',
  'hammingLoss',
  'unparseable',
] as const satisfies readonly (keyof AveragedMetrics)[]

/**
 * Computes the paper's classification metrics: per label (eqs. 8-11), dataset (12, 13), domain (14) and overall (15).
 *
 * @param rows one per evaluated sample, datasets in any order
 * @param labels dataset id -> its label list
 * @throws EVAL_NO_ROWS without rows
 * @throws EVAL_LABELS_MISSING, EVAL_LABELS_INVALID for a dataset without a usable list
 * @throws EVAL_DOMAIN_CONFLICT when a dataset's rows name two domains
 * @example
 * computeMetrics(
 *   [{ dataset: 'busi', domain: 'ultrasound', truth: ['normal'], predicted: ['normal'] }],
 *   { busi: ['normal', 'benign', 'malignant'] },
 * ).overall.f1 // 1/3: two of the three labels never occur
 */
export function computeMetrics(
  rows: readonly MetricRow[],
  labels: Readonly<Record<string, readonly string[]>>,
  options: MetricOptions = {},
): Metrics {
  if (rows.length === 0) throw evalErrors.NO_ROWS({ what: 'metrics' })
  const datasets = new Map<string, DatasetMetrics>()
  for (const [dataset, own] of rowsByDataset(rows)) {
    const outcomes = encodeOutcomes(own, labelListOf(labels, dataset))
    datasets.set(dataset, datasetMetrics(outcomes, own[0]!.domain, options)) // a group has at least one row
  }
  return { datasets: Object.fromEntries(datasets), ...aggregateMetrics([...datasets.values()]) }
}

/** Averages datasets into domains (eq. 14) and domains into the overall row (eq. 15). */
export function aggregateMetrics(datasets: readonly DatasetMetrics[]): Pick<Metrics, 'domains' | 'overall'> {
  const domains = Object.entries(Object.groupBy(datasets, one => one.domain)).map(([domain, own = []]) => {
    return [domain, { ...meanOf(own), datasets: own.length, support: supportOf(own) }] as const
  })
  const values = domains.map(([, metrics]) => metrics)
  return {
    domains: Object.fromEntries(domains),
    overall: { ...meanOf(values), domains: values.length, support: supportOf(values) },
  }
}

/**
 * Groups rows by dataset, in order of first appearance.
 *
 * @throws EVAL_DOMAIN_CONFLICT when a dataset's rows name two domains
 */
export function rowsByDataset<Row extends Pick<MetricRow, 'dataset' | 'domain'>>(
  rows: readonly Row[],
): Map<string, Row[]> {
  const groups = new Map<string, Row[]>()
  for (const row of rows) {
    const group = groups.get(row.dataset)
    if (group === undefined) groups.set(row.dataset, [row])
    else {
      const first = group[0]!.domain // a group has at least one row
      if (row.domain !== first) throw evalErrors.DOMAIN_CONFLICT({ dataset: row.dataset, first, second: row.domain })
      group.push(row)
    }
  }
  return groups
}

function meanOf(rows: readonly AveragedMetrics[]): AveragedMetrics {
  const mean = (name: (typeof averaged)[number]): number => rows.reduce((sum, row) => sum + row[name], 0) / rows.length
  const means = Object.fromEntries(averaged.map(name => [name, mean(name)]))
  return means as Record<(typeof averaged)[number], number> // filled for every name of the table
}

function supportOf(rows: readonly { readonly support: number }[]): number {
  return rows.reduce((sum, row) => sum + row.support, 0)
}

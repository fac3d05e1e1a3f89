import { type BootstrapDistribution, type Interval, percentileInterval, standardError } from './bootstrap.ts'
import { computeMetrics, type Metrics } from '../metrics/compute-metrics.ts'
import { evalErrors } from '../errors.ts'
import type { MetricRow } from '../metrics/outcomes.ts'
import { detectableDifference } from './detectable-difference.ts'
import { holmAdjusted } from './holm.ts'
import {
  distributionsOf,
  eachMetric,
  type intervalMetrics,
  type IntervalOptions,
  type Level,
  mapLevels,
  mapValues,
  type PerIntervalMetric,
  type PerLevel,
} from './metric-distributions.ts'
import { wilsonInterval } from './wilson-interval.ts'

/** A metric's difference between two runs over the same rows: second minus first. */
export interface PairedDifference extends Interval {
  /** The difference of the metrics over all rows. */
  readonly observed: number
  /** Mean difference over the redraws. */
  readonly mean: number
  /**
   * Two-sided p: twice the smaller share of redraws on either side of 0, at least 2 / (R + 1), and at least the
   * 2 / 2 ** N that a sign test of N patients can reach.
   */
  readonly pValue: number
  /** Whether p is at that least value: what R redraws cannot tell from less. */
  readonly isAtFloor: boolean
  /** p after Holm's correction over the datasets, or the domains, of the same metric. */
  readonly adjustedP: number
  /** The smallest difference that as many patients show with 80 % power at the level .05; NaN where no redraw differs. */
  readonly detectable: number
}

/**
 * Computes percentile bootstrap intervals of balanced accuracy (eq. 12), macro-F1 (eq. 13) and exact match per dataset,
 * and of their means per domain (eq. 14) and overall (eq. 15). Every dataset is redrawn within itself, a patient's rows
 * together where the rows name their patient.
 *
 * @throws EVAL_NO_ROWS, EVAL_LABELS_MISSING, EVAL_LABELS_INVALID, EVAL_DOMAIN_CONFLICT, EVAL_VALUE_OUT_OF_RANGE
 */
export function metricIntervals(
  rows: readonly MetricRow[],
  labels: Readonly<Record<string, readonly string[]>>,
  options: IntervalOptions = {},
): PerLevel<PerIntervalMetric<Interval>> {
  const [distributions] = distributionsOf([rows], labels, options)
  const patients = patientsByLevel(rows)
  return mapLevels(distributions!, (one, level, name) => {
    const trials = patients[level][name] ?? 0
    return eachMetric(metric => intervalOf(metric, one[metric], trials, options.level))
  }) // one run in, one out
}

/**
 * Compares two runs over the same rows by a paired bootstrap: both are redrawn with the same draws.
 *
 * @param first N rows of one run
 * @param second N rows of the other, the same samples in the same order
 * @returns second minus first
 * @throws EVAL_LENGTH_MISMATCH when the runs have different rows; otherwise as `metricIntervals`
 */
export function pairedDifferences(
  first: readonly MetricRow[],
  second: readonly MetricRow[],
  labels: Readonly<Record<string, readonly string[]>>,
  options: IntervalOptions = {},
): PerLevel<PerIntervalMetric<PairedDifference>> {
  if (first.length !== second.length)
    throw evalErrors.LENGTH_MISMATCH({ what: 'rows of the two runs', first: first.length, second: second.length })
  const [before, after] = distributionsOf([first, second], labels, options)
  const differences = zipLevels(before!, after!) // two runs in, two out
  const patients = patientsByLevel(first)
  const metrics = [computeMetrics(first, labels), computeMetrics(second, labels)] as const
  const described = mapLevels(differences, (one, level, name) => {
    const trials = patients[level][name] ?? 0
    const [a, b] = [valuesOf(metrics[0], level, name), valuesOf(metrics[1], level, name)]
    return eachMetric(metric => ({
      observed: b[metric] - a[metric],
      ...describeDifference(one[metric], trials, options.level),
    }))
  })
  return { ...described, datasets: corrected(described.datasets), domains: corrected(described.domains) }
}

/** Corrects the p-values of each metric over the rows of one level. */
function corrected(
  rows: Readonly<Record<string, PerIntervalMetric<PairedDifference>>>,
): Record<string, PerIntervalMetric<PairedDifference>> {
  const names = Object.keys(rows)
  const adjusted = eachMetric(metric => holmAdjusted(names.map(name => rows[name]![metric].pValue))) // names of the record
  return mapValues(rows, (row, name) =>
    eachMetric(metric => ({ ...row[metric], adjustedP: adjusted[metric][names.indexOf(name)]! })),
  )
}

/** Fewer patients than this say too little to be redrawn: half of all redraws would hold the same few. */
const fewestPatients = 5

function intervalOf(
  metric: (typeof intervalMetrics)[number],
  values: Float64Array,
  trials: number,
  level: number | undefined,
): Interval {
  const [first = 0] = values
  if (trials >= fewestPatients && values.some(value => value !== first)) return percentileInterval(values, level)
  const isEdge = metric === 'exactMatch' && (first === 0 || first === 1) && values.every(value => value === first)
  return isEdge ? wilsonInterval(first * trials, trials, level) : noInterval
}

const noInterval: Interval = { lower: Number.NaN, upper: Number.NaN, method: 'none' }

function countPatients(rows: readonly MetricRow[]): number {
  return new Set(rows.map(({ dataset, patientId }, i) => `${dataset}|${patientId ?? `row ${i}`}`)).size
}

/** Patients (or rows that name none) per dataset, per domain, and overall. */
function patientsByLevel(rows: readonly MetricRow[]): Record<Level, Record<string, number>> {
  const per = (groups: Map<string, MetricRow[]>) =>
    Object.fromEntries([...groups].map(([name, own]) => [name, countPatients(own)]))
  return {
    datasets: per(Map.groupBy(rows, ({ dataset }) => dataset)),
    domains: per(Map.groupBy(rows, ({ domain }) => domain)),
    overall: { overall: countPatients(rows) },
  }
}

function valuesOf(metrics: Metrics, level: Level, name: string): PerIntervalMetric<number> {
  return level === 'overall' ? metrics.overall : metrics[level][name]! // both runs have the same datasets
}

function describeDifference(
  values: Float64Array,
  trials: number,
  level: number | undefined,
): Omit<PairedDifference, 'observed'> {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const [below, above] = [values.filter(value => value <= 0).length, values.filter(value => value >= 0).length]
  const rarer = Math.min(below, above)
  const pValue = Math.min(1, Math.max((2 * (rarer + 1)) / (values.length + 1), 2 / 2 ** trials))
  const isConstant = mean !== 0 && values.every(value => value === values[0])
  const interval = isConstant || trials < fewestPatients ? noInterval : percentileInterval(values, level)
  const error = values.length > 1 && trials >= fewestPatients ? standardError(values) : 0
  const detectable = error > 0 ? detectableDifference(error) : Number.NaN
  return { mean, ...interval, pValue, isAtFloor: rarer === 0, adjustedP: pValue, detectable }
}

function zipLevels(
  before: PerLevel<BootstrapDistribution>,
  after: PerLevel<BootstrapDistribution>,
): PerLevel<BootstrapDistribution> {
  return {
    datasets: mapValues(before.datasets, (one, name) => subtract(one, after.datasets[name]!)), // the same datasets, checked
    domains: mapValues(before.domains, (one, name) => subtract(one, after.domains[name]!)), // and so the same domains
    overall: subtract(before.overall, after.overall),
  }
}

function subtract(before: BootstrapDistribution, after: BootstrapDistribution): BootstrapDistribution {
  return eachMetric(name => after[name].map((value, index) => value - before[name][index]!))
}

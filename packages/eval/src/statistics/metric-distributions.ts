import { evalErrors } from '../errors.ts'
import { rowsByDataset } from '../metrics/compute-metrics.ts'
import { encodeOutcomes, labelListOf, type MetricRow } from '../metrics/outcomes.ts'
import { type BootstrapDistribution, bootstrapTogether } from './bootstrap.ts'
import { seededRandom } from './seeded-random.ts'

/** The metrics that get intervals. */
export const intervalMetrics = [
  'accuracy',
  'f1',
  'exactMatch',
] as const satisfies readonly (keyof BootstrapDistribution)[]

/** One value per metric that gets an interval. */
export type PerIntervalMetric<Value> = Readonly<Record<(typeof intervalMetrics)[number], Value>>

/** One value per dataset, per domain, and overall. */
export interface PerLevel<Value> {
  readonly datasets: Readonly<Record<string, Value>>
  readonly domains: Readonly<Record<string, Value>>
  readonly overall: Value
}

/** How intervals are made. */
export interface IntervalOptions {
  /** Seed of the draws; the same seed gives the same bits. 42 by default. */
  readonly seed?: number
  /** R, how many times the data are redrawn; 1,000 by default. */
  readonly resamples?: number
  /** Share of the distribution inside, .95 by default. */
  readonly level?: number
}

/**
 * Redraws several runs over the same rows with the same draws: every dataset within itself, a patient's rows together.
 *
 * @param runs [K] the rows of each run, the same samples in the same order
 * @returns [K] distributions
 * @throws EVAL_NO_ROWS, EVAL_LABELS_MISSING, EVAL_LABELS_INVALID, EVAL_LENGTH_MISMATCH, EVAL_VALUE_OUT_OF_RANGE
 */
export function distributionsOf(
  runs: readonly (readonly MetricRow[])[],
  labels: Readonly<Record<string, readonly string[]>>,
  { seed = 42, resamples = 1000 }: IntervalOptions,
): PerLevel<BootstrapDistribution>[] {
  const random = seededRandom(seed)
  const grouped = runs.map(rows => rowsByDataset(rows))
  const datasets: Record<string, BootstrapDistribution>[] = runs.map(() => ({}))
  const domainOf = new Map<string, string>()
  if (!grouped[0]?.size) throw evalErrors.NO_ROWS({ what: 'intervals' })
  for (const [dataset, own] of grouped[0]) {
    const list = labelListOf(labels, dataset)
    const systems = grouped.map(run => encodeOutcomes(sameRows(own, run.get(dataset)), list))
    const clusters = own.map((row, index) => row.patientId ?? index)
    const results = bootstrapTogether(systems, { random, resamples, clusters })
    for (const [run, result] of results.entries()) datasets[run]![dataset] = result
    domainOf.set(dataset, own[0]!.domain) // a group has at least one row
  }
  return datasets.map(own => levelsOf(own, domainOf))
}

function sameRows(expected: readonly MetricRow[], got: readonly MetricRow[] = []): readonly MetricRow[] {
  if (expected.length !== got.length)
    throw evalErrors.LENGTH_MISMATCH({ what: 'rows of one dataset', first: expected.length, second: got.length })
  return got
}

function levelsOf(
  datasets: Readonly<Record<string, BootstrapDistribution>>,
  domainOf: ReadonlyMap<string, string>,
): PerLevel<BootstrapDistribution> {
  const grouped = Object.groupBy(Object.entries(datasets), ([dataset]) => domainOf.get(dataset) ?? '')
  const domains = mapValues(grouped, (own = []) => meanDistribution(own.map(([, distribution]) => distribution)))
  return { datasets, domains, overall: meanDistribution(Object.values(domains)) }
}

function meanDistribution(all: readonly BootstrapDistribution[]): BootstrapDistribution {
  return eachMetric(name => {
    const mean = new Float64Array(all[0]?.[name].length ?? 0)
    for (const one of all) for (let i = 0; i < mean.length; i++) mean[i]! += one[name][i]! / all.length
    return mean
  })
}

/** A value of every metric. */
export function eachMetric<Value>(value: (name: (typeof intervalMetrics)[number]) => Value): PerIntervalMetric<Value> {
  return { accuracy: value('accuracy'), f1: value('f1'), exactMatch: value('exactMatch') }
}

/** What a value is of. */
export type Level = keyof PerLevel<unknown>

/** A value of every dataset, every domain and overall. */
export function mapLevels<From, To>(
  levels: PerLevel<From>,
  map: (value: From, level: Level, name: string) => To,
): PerLevel<To> {
  return {
    datasets: mapValues(levels.datasets, (value, name) => map(value, 'datasets', name)),
    domains: mapValues(levels.domains, (value, name) => map(value, 'domains', name)),
    overall: map(levels.overall, 'overall', 'overall'),
  }
}

/** A value of every name of a record. */
export function mapValues<From, To>(
  record: Readonly<Record<string, From>>,
  map: (value: From, name: string) => To,
): Record<string, To> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, map(value, name)]))
}

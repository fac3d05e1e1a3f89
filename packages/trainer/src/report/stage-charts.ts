import type { ChartSeries, LineChart } from '@qoq-med/report'
import type { MetricsLine } from './run-log.ts'

/** A chart of a stage: its lines are the numbers that `read` finds in each step's metrics, by name. */
interface ChartDefinition {
  readonly title: string
  readonly read: (record: MetricsLine) => Readonly<Record<string, number>>
}

/** The charts of a stage, in the order of a report; one without numbers is left out. */
const definitions: readonly ChartDefinition[] = [
  { title: 'Loss', read: field('loss') },
  { title: 'Mean reward', read: field('reward') },
  { title: 'Accuracy on the validation samples', read: validationAccuracy },
  { title: 'Reward by domain', read: field('rewardByDomain') },
  { title: 'Parts of the reward', read: field('rewardParts') },
  { title: 'Domain temperature T(g)', read: domainTemperatures },
  { title: 'KL from the reference, per token', read: field('kl') },
  { title: 'Entropy, nats per token', read: field('entropy') },
  { title: 'Tokens per answer', read: field('responseTokens') },
  { title: 'Share of answers cut off', read: field('truncated') },
  { title: 'Share of answers that cannot be read', read: field('unparseable') },
  { title: 'Share of groups with equal rewards', read: field('constantGroups') },
  { title: 'Share of ratios that are clipped', read: fields(['clipFraction', 'dualClipFraction']) },
  { title: 'Share of questions in clusters of their own', read: field('singletonClusters') },
  { title: 'Gradient norm', read: field('gradientNorm') },
  { title: 'Log-probability gap, sampler and trainer', read: field('logprobGap') },
  { title: 'Seconds of a step', read: stepSeconds },
]

/**
 * The charts that a stage's metrics have numbers for.
 *
 * @param records the stage's lines of metrics.jsonl, in order
 */
export function stageCharts(records: readonly MetricsLine[]): LineChart[] {
  return definitions.flatMap(({ title, read }) => {
    const series = seriesOf(records, read)
    return series.length > 0 ? [{ title, xTitle: 'step', series }] : []
  })
}

function seriesOf(records: readonly MetricsLine[], read: ChartDefinition['read']): ChartSeries[] {
  const lines = new Map<string, { x: number; y: number }[]>()
  for (const record of records) {
    for (const [name, y] of Object.entries(read(record))) {
      const line = lines.get(name) ?? []
      lines.set(name, line)
      line.push({ x: record.step, y })
    }
  }
  return [...lines].map(([name, points]) => ({ name, points }))
}

/** Reads a number, or every number of a record, under a name. */
function field(name: string): ChartDefinition['read'] {
  return record => {
    const value = record[name]
    if (typeof value === 'number') return { [name]: value }
    return numbersOf(value)
  }
}

/** Reads several numbers under their names. */
function fields(names: readonly string[]): ChartDefinition['read'] {
  return record => numbersOf(Object.fromEntries(names.map(name => [name, record[name]])))
}

/** The accuracy over samples, and over domains with its interval. */
function validationAccuracy({ accuracy, overall, interval }: MetricsLine): Record<string, number> {
  const [low, high] = Array.isArray(interval) ? interval : []
  return numbersOf({ accuracy, 'over domains': overall, 'low (95 %)': low, 'high (95 %)': high })
}

function stepSeconds(record: MetricsLine): Record<string, number> {
  return record.type === undefined ? { ...numbersOf(record['times']), total: record.seconds } : {}
}

function domainTemperatures(record: MetricsLine): Record<string, number> {
  const domains = Object.entries(asRecord(record['domains']))
  return numbersOf(Object.fromEntries(domains.map(([domain, value]) => [domain, asRecord(value)['temperature']])))
}

function numbersOf(value: unknown): Record<string, number> {
  return Object.fromEntries(
    Object.entries(asRecord(value)).flatMap(([name, inner]) => (typeof inner === 'number' ? [[name, inner]] : [])),
  )
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {} // an object by the check
}

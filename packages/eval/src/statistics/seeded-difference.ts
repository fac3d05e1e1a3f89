import { evalErrors } from '../errors.ts'
import type { MetricRow } from '../metrics/outcomes.ts'
import { type Interval, percentileInterval } from './bootstrap.ts'
import { distributionsOf, type IntervalOptions } from './metric-distributions.ts'
import { computeMetrics } from '../metrics/compute-metrics.ts'
import { seededRandom } from './seeded-random.ts'

/** What one way of training has more of overall macro-F1 than another, over several seeds of each. */
export interface SeededDifference extends Interval {
  /** [S] second minus first, by seed. */
  readonly perSeed: readonly number[]
  /** The mean of `perSeed`. */
  readonly observed: number
}

/**
 * Compares two ways of training, each done with the same S seeds and judged on the same rows, by overall macro-F1 (eq. 15).
 * The interval is that of a bootstrap of two levels (Davison and Hinkley 1997, section 3.8): every redraw draws seeds, and
 * patients, who are the same for all seeds; so it says what other seeds and other patients would change.
 *
 * @param first [S] rows of one way, by seed; the same samples in the same order everywhere
 * @param second [S] rows of the other
 * @throws EVAL_LENGTH_MISMATCH when seeds or rows differ; otherwise as `metricIntervals`
 */
export function seededDifference(
  first: readonly (readonly MetricRow[])[],
  second: readonly (readonly MetricRow[])[],
  labels: Readonly<Record<string, readonly string[]>>,
  options: IntervalOptions = {},
): SeededDifference {
  const seeds = first.length
  if (second.length !== seeds || seeds === 0)
    throw evalErrors.LENGTH_MISMATCH({ what: 'seeds of the two ways', first: seeds, second: second.length })
  const f1 = (rows: readonly MetricRow[]): number => computeMetrics(rows, labels).overall.f1
  const perSeed = first.map((rows, seed) => f1(second[seed]!) - f1(rows))
  const redrawn = distributionsOf([...first, ...second], labels, options).map(({ overall }) => overall.f1)
  const random = seededRandom((options.seed ?? 42) + 1)
  const means = redrawn[0]!.map((_, r) => {
    const drawn = Array.from({ length: seeds }, () => Math.floor(random() * seeds))
    return mean(drawn.map(seed => redrawn[seeds + seed]![r]! - redrawn[seed]![r]!))
  })
  return { perSeed, observed: mean(perSeed), ...percentileInterval(means, options.level) }
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

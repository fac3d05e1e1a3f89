import { percentileInterval, type Interval } from '../statistics/bootstrap.ts'
import { clusterIndex } from '../statistics/cluster-index.ts'
import { drawWeights, seededRandom } from '../statistics/seeded-random.ts'
import { encodeOutcomes, type MetricRow } from '../metrics/outcomes.ts'
import {
  brierScore,
  type CalibrationBin,
  calibrationBins,
  calibrationError,
  type CalibrationOptions,
} from './calibration.ts'
import { rankingMeasures, type RankingMeasures, rankRows } from './ranking.ts'

/** A row with a probability for every label of its dataset. */
export interface ProbabilityRow extends Pick<MetricRow, 'dataset' | 'truth' | 'patientId'> {
  /** [L] in the order of the dataset's labels, each in [0, 1]. */
  readonly probabilities: readonly number[]
}

/** A value with its interval over patients. */
export interface Estimate extends Interval {
  readonly value: number
}

/** How well a label's probabilities rank and say the truth. */
export interface LabelProbabilityMetrics {
  /** NaN where every row has the label, or none. */
  readonly auroc: Estimate
  /** NaN where no row has the label. */
  readonly averagePrecision: Estimate
  readonly brier: number
  /** Expected calibration error. */
  readonly calibrationError: number
  /** Rows where the label is true. */
  readonly support: number
}

/** How well a dataset's probabilities rank and say the truth. */
export interface ProbabilityMetrics {
  /** Mean over labels whose AUROC is defined. */
  readonly auroc: number
  /** Mean over labels that occur. */
  readonly averagePrecision: number
  /** Mean over labels. */
  readonly brier: number
  /** Over all (row, label) cells. */
  readonly calibrationError: number
  /** Over all (row, label) cells. */
  readonly reliability: readonly CalibrationBin[]
  readonly perLabel: Readonly<Record<string, LabelProbabilityMetrics>>
  /** Rows. */
  readonly support: number
}

/** How intervals and bins are made. */
export interface ProbabilityOptions extends CalibrationOptions {
  /** Seed of the draws; 42 by default. */
  readonly seed?: number
  /** Redraws of patients; 1,000 by default. */
  readonly resamples?: number
  readonly level?: number
}

/**
 * Computes AUROC, average precision, Brier score and calibration of one dataset's label probabilities; intervals redraw
 * patients. Where a redraw leaves a measure undefined it is left out of the interval.
 *
 * @throws EVAL_NO_ROWS, EVAL_LENGTH_MISMATCH, EVAL_TRUTH_UNKNOWN, EVAL_VALUE_OUT_OF_RANGE
 */
export function probabilityMetrics(
  rows: readonly ProbabilityRow[],
  labels: readonly string[],
  options: ProbabilityOptions = {},
): ProbabilityMetrics {
  const { cells } = encodeOutcomes(
    rows.map(row => ({ ...row, predicted: [] })),
    labels,
  )
  const columns = labels.map((label, index) => ({
    label,
    scores: Float64Array.from(rows, row => row.probabilities[index] ?? Number.NaN),
    truth: Uint8Array.from(rows, (_row, row) => cells[row * labels.length + index]! & 1),
  }))
  const drawn = redrawnMeasures(rows, columns, options)
  const perLabel = columns.map(
    (column, index) => [column.label, labelMetricsOf(column, drawn[index]!, options)] as const, // one list per column
  )
  const all = {
    scores: Float64Array.from(columns.flatMap(({ scores }) => [...scores])),
    truth: Uint8Array.from(columns.flatMap(({ truth }) => [...truth])),
  }
  const metrics = perLabel.map(([, one]) => one)
  return {
    auroc: meanOfDefined(metrics.map(one => one.auroc.value)),
    averagePrecision: meanOfDefined(metrics.map(one => one.averagePrecision.value)),
    brier: meanOfDefined(metrics.map(({ brier }) => brier)),
    calibrationError: calibrationError(all.scores, all.truth, options),
    reliability: calibrationBins(all.scores, all.truth, options),
    perLabel: Object.fromEntries(perLabel),
    support: rows.length,
  }
}

interface LabelColumn {
  /** [N] */
  readonly scores: Float64Array
  /** [N] */
  readonly truth: Uint8Array
}

/** [L][R] the measures of every label in every redraw of patients. */
function redrawnMeasures(
  rows: readonly ProbabilityRow[],
  columns: readonly LabelColumn[],
  { seed = 42, resamples = 1000 }: ProbabilityOptions,
): RankingMeasures[][] {
  const random = seededRandom(seed)
  const { count, ofRow } = clusterIndex(rows.map(({ patientId }) => patientId))
  const patients = new Float64Array(count)
  const weights = new Float64Array(ofRow.length)
  const rankings = columns.map(rankRows)
  const drawn: RankingMeasures[][] = columns.map(() => [])
  for (let redraw = 0; redraw < resamples; redraw++) {
    drawWeights(patients, random)
    for (let row = 0; row < weights.length; row++) weights[row] = patients[ofRow[row]!]!
    for (const [label, ranking] of rankings.entries()) drawn[label]!.push(rankingMeasures(ranking, weights))
  }
  return drawn
}

function labelMetricsOf(
  { scores, truth }: LabelColumn,
  drawn: readonly RankingMeasures[],
  options: ProbabilityOptions,
): LabelProbabilityMetrics {
  const whole = rankingMeasures(rankRows({ scores, truth }))
  const estimate = (name: keyof RankingMeasures): Estimate => ({
    value: whole[name],
    ...intervalOf(
      drawn.map(measures => measures[name]),
      options.level,
    ),
  })
  return {
    auroc: estimate('auroc'),
    averagePrecision: estimate('averagePrecision'),
    brier: brierScore(scores, truth),
    calibrationError: calibrationError(scores, truth, options),
    support: truth.reduce((sum, one) => sum + one, 0),
  }
}

/** Redraws that leave a measure undefined are left out; no interval where all agree. */
function intervalOf(drawn: readonly number[], level: number | undefined): Interval {
  const defined = Float64Array.from(drawn.filter(value => Number.isFinite(value)))
  if (defined.every(value => value === defined[0])) return { lower: Number.NaN, upper: Number.NaN, method: 'none' }
  return percentileInterval(defined, level)
}

function meanOfDefined(values: readonly number[]): number {
  const defined = values.filter(value => Number.isFinite(value))
  return defined.length === 0 ? Number.NaN : defined.reduce((sum, value) => sum + value, 0) / defined.length
}

import { computeMetrics, type Metrics } from '../metrics/compute-metrics.ts'
import { confusionMatrix, type ConfusionMatrix } from '../metrics/confusion-matrix.ts'
import type { EvaluationSampling } from './evaluate.ts'
import { ratio } from '../metrics/label-counts.ts'
import {
  type IntervalOptions,
  metricIntervals,
  type PerIntervalMetric,
  type PerLevel,
} from '../statistics/metric-intervals.ts'
import type { FailedSample } from '@qoq-med/data-climb'
import type { Interval } from '../statistics/bootstrap.ts'
import type { MetricRow } from '../metrics/outcomes.ts'
import type { SampleRecord } from './sample-log.ts'

/** Mean box IoU (eq. 20) over samples with a spatial truth. */
export interface IouSummary {
  readonly mean: number
  /** Samples with a spatial truth. */
  readonly support: number
}

/** What the answers of an evaluation come to. */
export interface EvaluationSummary {
  readonly metrics: Metrics
  /** Bootstrap intervals; a patient's samples are drawn together. */
  readonly intervals: PerLevel<PerIntervalMetric<Interval>>
  /** Box IoU per dataset that has masks or boxes. */
  readonly iou: Readonly<Record<string, IouSummary>>
  /** Which class was taken for which, per dataset; `counts` is row-major, truth by prediction. */
  readonly confusion: Readonly<
    Record<string, { readonly classes: readonly string[]; readonly counts: readonly number[] }>
  >
  /** How answers ended: at their end, or cut off. */
  readonly finish: Readonly<Record<string, number>>
  /** Tokens of all answers. */
  readonly tokens: number
}

/** What results.json holds. */
export interface EvaluationResults extends EvaluationSummary {
  /** Grows when the shape of this file changes. */
  readonly schemaVersion: 1
  /** Name of the policy. */
  readonly policy: string
  readonly fingerprint: string
  readonly sampling: EvaluationSampling
  /** How the intervals were made. */
  readonly bootstrap: Required<IntervalOptions>
  /** Hash of the samples' ids and true labels. */
  readonly dataFingerprint: string
  readonly config: Readonly<Record<string, unknown>>
  readonly versions: Readonly<Record<string, string>>
  /** Samples that were left out, with the reason. */
  readonly failures: readonly FailedSample[]
}

/** Computes everything that an evaluation reports from its records. */
export function summariseRecords(
  records: readonly SampleRecord[],
  labels: Readonly<Record<string, readonly string[]>>,
  options: IntervalOptions = {},
): EvaluationSummary {
  const rows = records.map(metricRow)
  return {
    metrics: computeMetrics(rows, labels),
    intervals: metricIntervals(rows, labels, options),
    iou: iouByDataset(records),
    confusion: confusionByDataset(records, labels),
    finish: countBy(records.map(record => record.finish)),
    tokens: records.reduce((sum, record) => sum + record.tokens, 0),
  }
}

/** The part of a record that metrics are computed from. */
export function metricRow(record: SampleRecord): MetricRow {
  const { dataset, domain, truth, predicted, patient, answered } = record
  return { dataset, domain, truth, predicted, patientId: patient, unparseable: !answered }
}

function iouByDataset(records: readonly SampleRecord[]): Record<string, IouSummary> {
  const spatial = records.flatMap(({ dataset, iou }) => (iou === undefined ? [] : [{ dataset, iou }]))
  const groups = Object.entries(Object.groupBy(spatial, ({ dataset }) => dataset))
  return Object.fromEntries(
    groups.map(([dataset, own = []]) => {
      const sum = own.reduce((total, { iou }) => total + iou, 0)
      return [dataset, { mean: ratio(sum, own.length), support: own.length }]
    }),
  )
}

function confusionByDataset(
  records: readonly SampleRecord[],
  labels: Readonly<Record<string, readonly string[]>>,
): EvaluationSummary['confusion'] {
  const groups = Object.entries(Object.groupBy(records, ({ dataset }) => dataset))
  return Object.fromEntries(
    groups.map(([dataset, own = []]) => [dataset, plain(confusionMatrix(own, labels[dataset] ?? []))]),
  )
}

function plain({ classes, counts }: ConfusionMatrix): EvaluationSummary['confusion'][string] {
  return { classes, counts: Array.from(counts) }
}

function countBy(values: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1
  return counts
}

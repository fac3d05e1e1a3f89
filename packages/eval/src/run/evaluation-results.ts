import type { FailedSample } from '@qoq-med/data-climb'
import type { SubgroupRow } from '../fairness/attribute-rows.ts'
import { fairnessMetrics, type FairnessMetrics } from '../fairness/fairness-metrics.ts'
import { computeMetrics, type Metrics } from '../metrics/compute-metrics.ts'
import { confusionMatrix, type ConfusionMatrix } from '../metrics/confusion-matrix.ts'
import type { MetricOptions } from '../metrics/dataset-metrics.ts'
import { ratio } from '../metrics/label-counts.ts'
import type { TaskMetrics } from '../metrics/mimic-tasks.ts'
import type { MetricRow } from '../metrics/outcomes.ts'
import { tokenOverlap, type TokenOverlap } from '../open-answers/token-overlap.ts'
import { probabilityMetrics, type ProbabilityMetrics } from '../probabilities/label-probabilities.ts'
import type { Interval } from '../statistics/bootstrap.ts'
import { metricIntervals } from '../statistics/metric-intervals.ts'
import type { IntervalOptions, PerIntervalMetric, PerLevel } from '../statistics/metric-distributions.ts'
import { type AnswerCounts, answerEnd, countAnswers } from './answer-counts.ts'
import type { AnswerMode, InputChoice } from './answer-mode.ts'
import type { EvaluationSampling } from './evaluate-options.ts'
import { mimicTaskResults } from './mimic-task-results.ts'
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
  /** Samples by what came of them. */
  readonly answers: AnswerCounts
  /** Accuracy and F1 of the MIMIC-IV tasks (eqs. 16-19), by dataset. */
  readonly tasks: Readonly<Record<string, TaskMetrics>>
  /** Mean overlap of the boxed text with the true labels, word by word, per dataset. */
  readonly wordOverlap: Readonly<Record<string, TokenOverlap>>
  /** Ranking and calibration per dataset, where labels were ranked. */
  readonly probabilities: Readonly<Record<string, ProbabilityMetrics>>
  /** Measures by subgroup, where groups are known. */
  readonly fairness?: FairnessMetrics
  /** Tokens of all answers. */
  readonly tokens: number
}

/** What results.json holds. */
export interface EvaluationResults extends EvaluationSummary {
  /** Grows when the shape of this file changes. */
  readonly schemaVersion: 2
  /** Name of the policy. */
  readonly policy: string
  readonly fingerprint: string
  readonly sampling: EvaluationSampling
  readonly mode: AnswerMode | 'predictions'
  readonly inputs: InputChoice
  /** How the metrics were read. */
  readonly reading: Required<MetricOptions>
  /** Whether samples that failed are left out or count as wrong. */
  readonly onFailure: 'exclude' | 'wrong'
  /** Failures that count as wrong; the others are left out. */
  readonly wrong: number
  /** The groups of patients by sample, where they are known. */
  readonly groups?: Readonly<Record<string, Readonly<Record<string, string>>>>
  /** The label list of each dataset. */
  readonly labels: Readonly<Record<string, readonly string[]>>
  /** How the intervals were made. */
  readonly bootstrap: Required<IntervalOptions>
  /** Hash of the samples' ids and true labels. */
  readonly dataFingerprint: string
  readonly config: Readonly<Record<string, unknown>>
  readonly versions: Readonly<Record<string, string>>
  /** Samples that were left out, with the reason. */
  readonly failures: readonly FailedSample[]
}

/** A sample that was not answered and counts as wrong. */
export interface WrongRow extends MetricRow {
  readonly sampleId: string
}

/** How records are summarised. */
export interface SummaryOptions extends MetricOptions {
  readonly intervals?: IntervalOptions
  /** Rows of samples that failed and count as wrong. */
  readonly wrong?: readonly WrongRow[]
  /** The groups of patients by sample; metrics are then also by subgroup. */
  readonly groups?: Readonly<Record<string, Readonly<Record<string, string>>>>
  /** Samples that failed, however they count. */
  readonly failed?: number
  /** Groups of fewer patients are not compared. */
  readonly minPatients?: number
}

/** Computes everything that an evaluation reports from its records. */
export function summariseRecords(
  records: readonly SampleRecord[],
  labels: Readonly<Record<string, readonly string[]>>,
  { intervals = {}, wrong = [], failed = 0, minPatients, groups, ...reading }: SummaryOptions = {},
): EvaluationSummary {
  const rows = [...records.map(metricRow), ...wrong]
  const grouped = (row: MetricRow, sampleId: string): SubgroupRow =>
    groups && Object.hasOwn(groups, sampleId) ? { ...row, groups: groups[sampleId]! } : row
  const subgroups = [
    ...records.map(record => grouped(metricRow(record), record.sampleId)),
    ...wrong.map(row => grouped(row, row.sampleId)),
  ]
  return {
    metrics: computeMetrics(rows, labels, reading),
    intervals: metricIntervals(rows, labels, intervals),
    iou: iouByDataset(records),
    confusion: confusionByDataset(rows, labels),
    finish: countBy(records.map(record => record.finish)),
    answers: countAnswers(records, failed),
    tasks: mimicTaskResults(
      rows.map(({ dataset, truth, predicted }) => ({ dataset, truth: [...truth], predicted: [...predicted] })),
    ),
    wordOverlap: overlapByDataset(records),
    probabilities: probabilitiesByDataset(records, labels, intervals),
    ...(groups && {
      fairness: fairnessMetrics(subgroups, labels, { ...intervals, ...(minPatients !== undefined && { minPatients }) }),
    }),
    tokens: records.reduce((sum, record) => sum + record.tokens, 0),
  }
}

/** The part of a record that metrics are computed from. */
export function metricRow(record: SampleRecord): MetricRow {
  const { dataset, domain, truth, predicted, patient } = record
  const end = answerEnd(record)
  const labels = end === 'refused' ? [] : predicted
  return { dataset, domain, truth, predicted: labels, patientId: patient, unparseable: end === 'unparseable' }
}

function overlapByDataset(records: readonly SampleRecord[]): Record<string, TokenOverlap> {
  const groups = Object.entries(Object.groupBy(records, ({ dataset }) => dataset))
  return Object.fromEntries(
    groups.map(([dataset, own = []]) => {
      // Commas between labels are no part of them.
      const each = own.map(({ answer = '', truth }) =>
        tokenOverlap(answer, truth.join(' '), { stripPunctuation: true }),
      )
      const mean = (name: keyof TokenOverlap): number =>
        ratio(
          each.reduce((sum, one) => sum + one[name], 0),
          each.length,
        )
      return [dataset, { jaccard: mean('jaccard'), f1: mean('f1') }]
    }),
  )
}

function probabilitiesByDataset(
  records: readonly SampleRecord[],
  labels: Readonly<Record<string, readonly string[]>>,
  options: IntervalOptions,
): Record<string, ProbabilityMetrics> {
  const scored = records.flatMap(({ dataset, truth, patient, probabilities }) =>
    probabilities ? [{ dataset, truth, patientId: patient, probabilities }] : [],
  )
  const groups = Object.entries(Object.groupBy(scored, ({ dataset }) => dataset))
  return Object.fromEntries(
    groups.map(([dataset, own = []]) => [dataset, probabilityMetrics(own, labels[dataset] ?? [], options)]),
  )
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
  records: readonly MetricRow[],
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

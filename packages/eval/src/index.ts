export {
  bootstrapOutcomes,
  bootstrapTogether,
  percentileInterval,
  standardError,
  type BootstrapDistribution,
  type BootstrapOptions,
  type Interval,
} from './bootstrap.ts'
export {
  aggregateMetrics,
  computeMetrics,
  type DomainMetrics,
  type Metrics,
  type OverallMetrics,
} from './compute-metrics.ts'
export { compareRuns, type RunComparison } from './compare-runs.ts'
export { cohenKappa, confusionMatrix, matthewsCorrelation, type ConfusionMatrix } from './confusion-matrix.ts'
export {
  countOutcomes,
  datasetMetrics,
  type AveragedMetrics,
  type BalancedAccuracy,
  type DatasetMetrics,
  type LabelSet,
  type MetricOptions,
} from './dataset-metrics.ts'
export { evalErrors } from './errors.ts'
export { labelMetrics, type LabelCounts, type LabelMetrics } from './label-counts.ts'
export { mcnemar, type McnemarResult } from './mcnemar.ts'
export {
  metricIntervals,
  pairedDifferences,
  type IntervalOptions,
  type PairedDifference,
  type PerIntervalMetric,
  type PerLevel,
} from './metric-intervals.ts'
export {
  mortalityMetrics,
  stayClasses,
  stayClassOf,
  stayMetrics,
  type StayClass,
  type TaskMetrics,
} from './mimic-tasks.ts'
export { encodeOutcomes, type MetricRow, type Outcomes } from './outcomes.ts'
export { drawSamples, type DrawnSample } from './draw-samples.ts'
export { wilsonInterval } from './wilson-interval.ts'
export { evaluate, type EvaluateOptions, type EvaluationProgress, type EvaluationSampling } from './evaluate.ts'
export type { AnswerEvent, EvaluatedPolicy, FinishedAnswer, PromptRequest } from './evaluated-policy.ts'
export { renderReport } from './evaluation-report.ts'
export { metricRow } from './evaluation-results.ts'
export type { EvaluationResults, EvaluationSummary, IouSummary } from './evaluation-results.ts'
export { inStoredPixels, type SeenSize } from './stored-pixels.ts'
export { readSampleLog, type SampleRecord } from './sample-log.ts'

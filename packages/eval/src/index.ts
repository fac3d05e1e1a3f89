export {
  bootstrapOutcomes,
  bootstrapTogether,
  percentileInterval,
  standardError,
  type BootstrapDistribution,
  type BootstrapOptions,
  type Interval,
} from './statistics/bootstrap.ts'
export {
  aggregateMetrics,
  computeMetrics,
  type DomainMetrics,
  type Metrics,
  type OverallMetrics,
} from './metrics/compute-metrics.ts'
export { compareRuns, type RunComparison } from './run/compare-runs.ts'
export { cohenKappa, confusionMatrix, matthewsCorrelation, type ConfusionMatrix } from './metrics/confusion-matrix.ts'
export {
  countOutcomes,
  datasetMetrics,
  type AveragedMetrics,
  type BalancedAccuracy,
  type DatasetMetrics,
  type LabelSet,
  type MetricOptions,
} from './metrics/dataset-metrics.ts'
export { evalErrors } from './errors.ts'
export { labelMetrics, type LabelCounts, type LabelMetrics } from './metrics/label-counts.ts'
export { mcnemar, type McnemarResult } from './statistics/mcnemar.ts'
export {
  metricIntervals,
  pairedDifferences,
  type IntervalOptions,
  type PairedDifference,
  type PerIntervalMetric,
  type PerLevel,
} from './statistics/metric-intervals.ts'
export {
  mortalityMetrics,
  stayClasses,
  stayClassOf,
  stayMetrics,
  type StayClass,
  type TaskMetrics,
} from './metrics/mimic-tasks.ts'
export { encodeOutcomes, type MetricRow, type Outcomes } from './metrics/outcomes.ts'
export { drawSamples, type DrawnSample } from './run/draw-samples.ts'
export { wilsonInterval } from './statistics/wilson-interval.ts'
export { evaluate, type EvaluateOptions, type EvaluationProgress, type EvaluationSampling } from './run/evaluate.ts'
export type { AnswerEvent, EvaluatedPolicy, FinishedAnswer, PromptRequest } from './run/evaluated-policy.ts'
export { renderReport } from './report/evaluation-report.ts'
export { metricRow } from './run/evaluation-results.ts'
export type { EvaluationResults, EvaluationSummary, IouSummary } from './run/evaluation-results.ts'
export { inStoredPixels, type SeenSize } from './run/stored-pixels.ts'
export { readSampleLog, type SampleRecord } from './run/sample-log.ts'

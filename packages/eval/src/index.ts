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
export { compareRuns, type FinishedRun, readRun, type RunComparison } from './run/compare-runs.ts'
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
export { metricIntervals, pairedDifferences, type PairedDifference } from './statistics/metric-intervals.ts'
export type { IntervalOptions, PerIntervalMetric, PerLevel } from './statistics/metric-distributions.ts'
export { seededDifference, type SeededDifference } from './statistics/seeded-difference.ts'
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
export { evaluate } from './evaluate.ts'
export type { EvaluateOptions, EvaluationProgress, EvaluationSampling } from './run/evaluate-options.ts'
export type { AnswerEvent, EvaluatedPolicy, FinishedAnswer, PromptRequest } from './run/evaluated-policy.ts'
export { renderReport } from './report/evaluation-report.ts'
export { metricRow } from './run/evaluation-results.ts'
export type { EvaluationResults, EvaluationSummary, IouSummary } from './run/evaluation-results.ts'
export { inStoredPixels, type SeenSize } from './run/stored-pixels.ts'
export { readSampleLog, type SampleRecord } from './run/sample-log.ts'
export { holmAdjusted } from './statistics/holm.ts'
export { detectableDifference, type DetectionOptions } from './statistics/detectable-difference.ts'
export {
  rankingMeasures,
  rankRows,
  type RankedRows,
  type Ranking,
  type RankingMeasures,
} from './probabilities/ranking.ts'
export {
  brierScore,
  type Binning,
  type CalibrationBin,
  calibrationBins,
  calibrationError,
  type CalibrationOptions,
} from './probabilities/calibration.ts'
export {
  type Estimate,
  type LabelProbabilityMetrics,
  probabilityMetrics,
  type ProbabilityMetrics,
  type ProbabilityOptions,
  type ProbabilityRow,
} from './probabilities/label-probabilities.ts'
export { tokenOverlap, type TokenOptions, type TokenOverlap } from './open-answers/token-overlap.ts'
export { ageGroup, jointGroup, sexGroup, unknownGroup } from './fairness/demographic-group.ts'
export type { GroupClasses, SubgroupRow } from './fairness/attribute-rows.ts'
export type { GroupMeasures, GroupSpread } from './fairness/group-measures.ts'
export {
  type AttributeFairness,
  fairnessMetrics,
  type FairnessMetrics,
  type FairnessOptions,
  type FairnessSummary,
  type GroupRow,
} from './fairness/fairness-metrics.ts'
export { fairnessDifferences, type GapDifference } from './fairness/fairness-difference.ts'
export { legacyP, type PrintedMean } from './fairness/legacy-p.ts'
export { fullTables, type FullTable } from './paper/full-tables.ts'
export {
  type MimicRow,
  type PrintedRow,
  table2,
  table3,
  table4,
  tableColumns,
  type TableColumn,
} from './paper/printed-tables.ts'
export { fullTableRows, type FullTableRow, reproduceTables, type TableCheck } from './paper/reproduce-tables.ts'
export { paperClaims, type PaperClaim } from './paper/paper-claims.ts'
export {
  answerModes,
  inputChoices,
  withInputs,
  type AnswerMode,
  type GrammarOf,
  type InputChoice,
} from './run/answer-mode.ts'
export { answerEnd, type AnswerCounts } from './run/answer-counts.ts'
export type { ScoreLabels } from './run/evaluated-policy.ts'
export { scorePredictions, type Prediction, type ScorePredictionsOptions } from './score-predictions.ts'
export { renderHtmlReport, type ReportedAnswers } from './report/html-report.ts'
export { renderComparisonReport } from './report/comparison-report.ts'
export { askJudge, type JudgeOptions, type JudgeQuestion } from './judge/ask-judge.ts'
export { judgeAnswers, type JudgedAnswers } from './judge/judge-answers.ts'
export { reasoningStatements, type ReasoningStatement } from './judge/reasoning-statements.ts'
export {
  type GradedStatement,
  judgeRelevance,
  readGrades,
  type RelevanceGrade,
  relevanceGrades,
  type RelevanceSummary,
  summariseGrades,
} from './judge/relevance-grades.ts'

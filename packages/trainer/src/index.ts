export { algorithms, policyAlgorithms, type Algorithm, type PolicyAlgorithm } from './config/algorithms.ts'
export { TrainConfigSchema, type PolicyStage, type SftStage, type TrainConfig } from './config/run-config.ts'
export { trainerErrors } from './errors.ts'
export type { AnswerModel } from './learn/answer-model.ts'
export { createLearner, type Learner, type LearnerOptions, type UpdateReport } from './learn/learner.ts'
export { logprobPass } from './learn/logprob-pass.ts'
export type { Objective, ObjectiveBatch, Pass, PassBatch, PassGraph, PassResults } from './learn/objective.ts'
export {
  policyObjective,
  type CompletionScores,
  type PolicyItem,
  type PolicyLossReport,
} from './learn/policy-objective.ts'
export { sftObjective, type SftItem } from './learn/sft-objective.ts'
export { configText, loadConfig, parseConfig } from './config/load-config.ts'
export {
  policyLossGraph,
  sftLoss,
  tokenWeights,
  type PolicyLossGraph,
  type PolicyLossInputs,
  type PolicyLossGraphOptions,
} from './learn/policy-loss.ts'
export { compareTrainings, type ComparedStage, type TrainingComparison } from './report/compare-trainings.ts'
export { renderTrainingComparison } from './report/training-comparison-report.ts'
export { drawRollout } from './report/draw-rollout.ts'
export { exportTraces } from './report/export-traces.ts'
export { explainRollout, type RolloutExplanation, type RolloutPlace } from './report/explain-rollout.ts'
export { readMetrics, readRollouts, type MetricsLine, type RolloutLine } from './report/run-log.ts'
export { planRun, type PlanOptions, type RunPlan } from './plan/plan-run.ts'
export type { StagePlan } from './plan/stage-plan.ts'
export type { StageSizes } from './stage/stage-needs.ts'
export { writeRunReport, type RunReportOptions } from './report/run-report.ts'
export { summariseRun, type StageSummary } from './report/run-summary.ts'
export type { StepProgress } from './run/run.ts'
export type { MlflowOptions } from './tracking/mlflow.ts'
export type { MlflowAddress } from './tracking/mlflow-client.ts'
export type { TrackingOptions } from './tracking/start-trackers.ts'
export type { RewardServer, StartRewardServer } from './engine/reward-server.ts'
export type { RunStart, TrainOptions, TrainResult } from './engine/train-options.ts'
export { train } from './train.ts'

export {
  defineEstimator,
  type AdvantageEstimator,
  type AdvantageResult,
  type EstimateRun,
  type EstimatorDefinition,
  type ResponseAdvantages,
  type TokenAdvantages,
} from './advantage-estimator.ts'
export {
  advantageEstimators,
  createEstimatorRegistry,
  estimateAdvantages,
  type EstimatorRegistry,
} from './advantage-estimators.ts'
export { drpoAdvantages, type DrpoAdvantages, type DrpoStages } from './drpo.ts'
export type { ClusterStage, DomainStage } from './domain-scaling.ts'
export type { DomainHistory, DrpoHistory } from './drpo-history.ts'
export { drpoOptionTable, referenceOptions, type DrpoOptions } from './drpo-options.ts'
export type { GroupResult, GroupStages } from './group-estimators.ts'
export type { KlDamping } from './kl-damping.ts'
export type { OptionRow, OptionTable, OptionValues } from './option-schema.ts'
export type { QuestionGroups, QuestionId, RewardBatch } from './reward-batch.ts'

export {
  defineEstimator,
  type AdvantageEstimator,
  type AdvantageResult,
  type EstimateRun,
  type EstimatorDefinition,
  type EstimatorNeeds,
  type ResponseAdvantages,
  type TokenAdvantages,
  type Unstamped,
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
export { findElbow } from './k-means/elbow.ts'
export { explainAdvantage, type AdvantageExplanation } from './explain-advantage.ts'
export { groupAdvantages, type Deviation, type GroupAdvantages } from './group-advantage.ts'
export type { GroupResult, GroupStages } from './group-estimators.ts'
export { updateKlController, type KlController } from './kl-controller.ts'
export { klDamping, type DampingOptions, type KlDamping } from './kl-damping.ts'
export { entropy, fullKl, klEstimators, responseKl, type DistributionValue, type KlEstimator } from './kl-estimators.ts'
export { aggregationWeights, lossAggregations, type LossAggregation } from './loss-aggregation.ts'
export { parseOptions, type OptionRow, type OptionTable, type OptionValues } from './option-schema.ts'
export {
  policyLoss,
  policyLossOptionTable,
  type PolicyLoss,
  type PolicyLossInput,
  type PolicyLossOptions,
} from './policy-loss.ts'
export { clusterRewards, type ClusterOptions, type RewardClusters } from './reward-clusters.ts'
export { parseRewardBatch, rewardBatchFields, type BatchField, type BatchFieldShape } from './reward-batch-fields.ts'
export { groupQuestions, type QuestionGroups, type QuestionId, type RewardBatch } from './reward-batch.ts'
export { temperature } from './temperature.ts'
export type { TokenResult, TokenStages } from './token-estimators.ts'
export type { TokenRows } from './token-rows.ts'
export { uniqueVectors, type WeightedPoints } from './k-means/unique-vectors.ts'
export { valueLoss, type ValueLoss } from './value-loss.ts'
export { drpoRecommended } from './drpo.ts'
export { recommendedOptions } from './drpo-options.ts'
export { eqpo, fairGrpo, fairGrpoNd, type FairGrpoAdvantages, type FairGrpoStages } from './fair-grpo.ts'
export { fairReleaseNdOptions, fairReleaseOptions, type FairGrpoOptions } from './fair-grpo-options.ts'
export type { FairDomain, FairGroup } from './fair-groups.ts'
export type { FairHistory } from './fair-grpo-history.ts'
export { clusterAlignment, type ClusterAlignment } from './cluster-alignment.ts'
export { groupDro, type GroupDroAdvantages, type GroupDroStages, type GroupDroWeights } from './group-dro.ts'

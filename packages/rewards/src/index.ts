export { accuracy, exactMatch, setF1, taskAccuracy } from './accuracy.ts'
export { boxArea, boxFromXywh, boxIou, type BoxXywh, type BoxXyxy, clipBox, type ImageSize } from './box.ts'
export type { BoxFormat, ResponseBox } from './box-entries.ts'
export type { Breakdown, RewardFailure } from './breakdown.ts'
export { coherence, meanViewIou, transformBox, type ViewLink, type ViewTransform } from './coherence.ts'
export { combine, type CompositeReward } from './combine.ts'
export { findingFormat, format, lenientFormat } from './format.ts'
export { createIou, iou, type IouOptions, maskIou } from './iou.ts'
export { jaccard } from './jaccard.ts'
export {
  createVocabulary,
  type LabelMarks,
  type LabelNames,
  type LabelVocabulary,
  normalizeLabel,
} from './label-vocabulary.ts'
export { length } from './length.ts'
export type { LintBaseline } from './lint-probe.ts'
export {
  type LintCase,
  type LintOptions,
  type LintReport,
  lintReward,
  type LintRow,
  type LintVerdict,
} from './lint-reward.ts'
export { type ImportModule, loadReward, loadWeights, type RewardConfig } from './load-reward.ts'
export { encodeMask, type Mask, type MaskImage, type MaskRegion, type MaskRuns } from './mask-region.ts'
export { type ParsedResponse, type ParseOptions, parseResponse } from './parsed-response.ts'
export { type AuxiliaryReward, paperWeights, presetNamed, presets, type RewardPresets } from './presets.ts'
export type { Problem, ProblemType } from './problem.ts'
export { renderLint } from './render-lint.ts'
export type { AsyncReward, NotApplicable, Reward, RewardResult, Score } from './reward.ts'
export { readRewardRow, type RewardRow } from './reward-row.ts'
export { type BatchOptions, type BatchRow, scoreBatch } from './score-batch.ts'
export { type RowOptions, type RowScore, scoreRow, scoreRows } from './score-row.ts'
export { builtInRewards, type RewardTerm, type RewardWeights, type WeightedReward } from './term.ts'
export type { Truth, TruthBox } from './truth.ts'

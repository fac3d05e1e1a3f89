export { accuracy, exactMatch, setF1, taskAccuracy } from './accuracy.ts'
export { boxArea, boxFromXywh, boxIou, type BoxXywh, type BoxXyxy, clipBox, type ImageSize } from './geometry/box.ts'
export type { BoxFormat, ResponseBox } from './parse/box-entries.ts'
export type { Breakdown, RewardFailure } from './breakdown.ts'
export { coherence, meanViewIou } from './coherence.ts'
export { transformBox, type ViewLink, type ViewTransform } from './geometry/view-link.ts'
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
} from './parse/label-vocabulary.ts'
export { length } from './length.ts'
export type { LintBaseline } from './lint/lint-probe.ts'
export {
  type LintCase,
  type LintOptions,
  type LintReport,
  lintReward,
  type LintRow,
  type LintVerdict,
} from './lint/lint-reward.ts'
export { type ImportModule, loadReward, loadWeights, type RewardConfig } from './load-reward.ts'
export { encodeMask } from './geometry/mask-region.ts'
export type { Mask, MaskImage, MaskRegion, MaskRuns } from './geometry/mask.ts'
export { responseStatements } from './parse/response-statements.ts'
export { type ParsedResponse, type ParseOptions, parseResponse } from './parse/parsed-response.ts'
export { type AuxiliaryReward, paperWeights, presetNamed, presets, type RewardPresets } from './presets.ts'
export type { Problem, ProblemType } from './parse/problem.ts'
export { renderLint } from './lint/render-lint.ts'
export type { AsyncReward, NotApplicable, Reward, RewardResult, Score } from './reward.ts'
export { readRewardRow, type RewardRow } from './reward-row.ts'
export { type BatchOptions, type BatchRow, scoreBatch } from './score-batch.ts'
export { type RewardRowOptions, type RowScore, scoreRow, scoreRows } from './score-row.ts'
export { builtInRewards } from './built-in-rewards.ts'
export type { RewardTerm, RewardWeights, WeightedReward } from './term.ts'
export type { Truth, TruthBox } from './truth.ts'

import { defineEstimator, type AdvantageEstimator, type ResponseAdvantages } from './advantage-estimator.ts'
import { groupAdvantages } from './group-advantage.ts'
import {
  checkGroupSizes,
  groupQuestions,
  type QuestionGroups,
  type QuestionId,
  type RewardBatch,
} from './reward-batch.ts'

/** The parts of an advantage that compares the responses of one question. B responses, Q questions. */
export interface GroupStages {
  readonly type: 'group'
  /** [B] r */
  readonly rewards: Float64Array
  /** [Q] in order of first appearance. */
  readonly questionIds: readonly QuestionId[]
  /** [B] index into `questionIds`. */
  readonly questionOf: Int32Array
  /** [Q] mean reward μ_q. */
  readonly means: Float64Array
  /** [Q] deviation σ_q. */
  readonly deviations: Float64Array
}

/** What the estimators of this file return. */
export type GroupResult = ResponseAdvantages<GroupStages>

const deviationOption = {
  type: 'choice',
  default: 'sample',
  choices: ['sample', 'population'],
  about: 'n - 1 or n in the deviation',
} as const

/** GRPO (eq. 1): (r - μ_q) / (σ_q + ε). */
export const grpo: AdvantageEstimator<GroupResult> = defineEstimator({
  name: 'grpo',
  about: 'GRPO: reward minus the mean of its question, over its deviation (eq. 1).',
  options: {
    epsilon: { type: 'number', default: 1e-6, minimum: 0, maximum: 1, about: 'added to the deviation' },
    deviation: deviationOption,
  },
  estimate: (batch, { epsilon, deviation }, run) => {
    const groups = comparableGroups(batch, 'grpo')
    const { means, deviations, normalized } = groupAdvantages(batch.rewards, groups, epsilon, deviation)
    return result('grpo', normalized, run.stages === false ? undefined : stagesOf(batch, groups, means, deviations))
  },
})

function comparableGroups(batch: RewardBatch, estimator: string): QuestionGroups {
  const groups = groupQuestions(batch)
  checkGroupSizes(groups, estimator)
  return groups
}

function stagesOf(
  batch: RewardBatch,
  { questionIds, questionOf }: QuestionGroups,
  means: Float64Array,
  deviations: Float64Array,
): GroupStages {
  return { type: 'group', rewards: Float64Array.from(batch.rewards), questionIds, questionOf, means, deviations }
}

function result(estimator: string, advantages: Float64Array, stages: GroupStages | undefined): GroupResult {
  return { level: 'response', estimator, advantages, stages, state: undefined }
}

import {
  defineEstimator,
  type AdvantageEstimator,
  type ResponseAdvantages,
  type Unstamped,
} from './advantage-estimator.ts'
import { groupAdvantages } from './group-advantage.ts'
import {
  checkGroupSizes,
  groupQuestions,
  requireField,
  type QuestionGroups,
  type QuestionId,
  type RewardBatch,
} from './reward-batch.ts'
import { checkTokenCounts } from './token-rows.ts'

/** The parts of an advantage that compares a response with one number per question. B responses, Q questions. */
export interface GroupStages {
  readonly type: 'group'
  /** [B] r */
  readonly rewards: Float64Array
  /** [Q] in order of first appearance. */
  readonly questionIds: readonly QuestionId[]
  /** [B] index into `questionIds`. */
  readonly questionOf: Int32Array
  /** [B] what is subtracted from the reward. */
  readonly baselines: Float64Array
  /** [B] what the difference is divided by; 1 where nothing is, 0 where equal rewards give 0. */
  readonly divisors: Float64Array
}

/** What GRPO, Dr.GRPO, RLOO, OPO and ReMax return. */
export type GroupResult = ResponseAdvantages<GroupStages>

/** GRPO (Shao et al. 2024; eq. 1): (r - μ_q) / (σ_q + ε). */
export const grpo: AdvantageEstimator<GroupResult> = defineEstimator({
  name: 'grpo',
  about: 'GRPO: reward minus the mean of its question, over its deviation (eq. 1).',
  needs: { smallestGroup: 2 },
  options: {
    epsilon: { type: 'number', default: 1e-6, minimum: 0, maximum: 1, about: 'added to the deviation' },
    deviation: {
      type: 'choice',
      default: 'sample',
      choices: ['sample', 'population'],
      about: 'n - 1 or n in the deviation',
    },
  },
  estimate: (batch, { epsilon, deviation }, run) => {
    const groups = comparableGroups(batch, 'grpo')
    const { means, deviations, normalized } = groupAdvantages(batch.rewards, groups, epsilon, deviation)
    const spread = (value: number): number => (value === 0 ? 0 : value + epsilon)
    const baselines = perResponse(groups, question => means[question]!)
    const divisors = perResponse(groups, question => spread(deviations[question]!))
    return groupResult(batch, groups, normalized, baselines, divisors, run.stages)
  },
})

/** Dr.GRPO (Liu et al. 2025): r - μ_q; not divided by a deviation, which favours questions of equal answers. */
export const drGrpo: AdvantageEstimator<GroupResult> = defineEstimator({
  name: 'dr-grpo',
  about: 'Dr.GRPO: reward minus the mean of its question, without the deviation.',
  needs: { smallestGroup: 2 },
  options: {},
  estimate: (batch, _options, run) => {
    const groups = comparableGroups(batch, 'dr-grpo')
    const { means } = groupAdvantages(batch.rewards, groups)
    return subtractBaselines(
      batch,
      groups,
      perResponse(groups, question => means[question]!),
      run.stages,
    )
  },
})

/** RLOO (Ahmadian et al. 2024): the reward minus the mean of the question's other responses. */
export const rloo: AdvantageEstimator<GroupResult> = defineEstimator({
  name: 'rloo',
  about: "RLOO: reward minus the mean of the question's other responses.",
  needs: { smallestGroup: 2 },
  options: {},
  estimate: (batch, _options, run) => {
    const groups = comparableGroups(batch, 'rloo')
    const { means } = groupAdvantages(batch.rewards, groups)
    const baselines = perResponse(groups, (question, response) => {
      const others = groups.starts[question + 1]! - groups.starts[question]! - 1
      return means[question]! + (means[question]! - batch.rewards[response]!) / others
    })
    return subtractBaselines(batch, groups, baselines, run.stages)
  },
})

/** OPO (Hao et al. 2025): the reward minus the question's mean reward weighted by length, the baseline of least variance. */
export const opo: AdvantageEstimator<GroupResult> = defineEstimator({
  name: 'opo',
  about: "OPO: reward minus the question's mean reward weighted by response length.",
  needs: { lengths: true, smallestGroup: 2 },
  options: {},
  estimate: (batch, _options, run) => {
    const groups = comparableGroups(batch, 'opo')
    const lengths = requireField(batch, 'lengths', 'opo')
    checkTokenCounts(lengths, batch)
    const weights = new Float64Array(groups.questionIds.length)
    groups.questionOf.forEach((question, response) => (weights[question]! += lengths[response]!))
    const means = new Float64Array(weights.length)
    groups.questionOf.forEach((question, response) => {
      means[question]! += (lengths[response]! / weights[question]!) * batch.rewards[response]!
    })
    return subtractBaselines(
      batch,
      groups,
      perResponse(groups, question => means[question]!),
      run.stages,
    )
  },
})

/** ReMax (Li et al. 2024): the reward minus that of the greedy response, which the batch brings as `baselines`. */
export const remax: AdvantageEstimator<GroupResult> = defineEstimator({
  name: 'remax',
  about: 'ReMax: reward minus the reward of the greedy response to the same question.',
  needs: { baselines: true },
  options: {},
  estimate: (batch, _options, run) => {
    const groups = groupQuestions(batch)
    const baselines = Float64Array.from(requireField(batch, 'baselines', 'remax'))
    return subtractBaselines(batch, groups, baselines, run.stages)
  },
})

function comparableGroups(batch: RewardBatch, estimator: string): QuestionGroups {
  const groups = groupQuestions(batch)
  checkGroupSizes(groups, estimator)
  return groups
}

function perResponse(groups: QuestionGroups, value: (question: number, response: number) => number): Float64Array {
  return Float64Array.from(groups.questionOf, value)
}

function subtractBaselines(
  batch: RewardBatch,
  groups: QuestionGroups,
  baselines: Float64Array,
  withStages: boolean | undefined,
): Unstamped<GroupResult> {
  const advantages = baselines.map((baseline, response) => batch.rewards[response]! - baseline)
  return groupResult(
    batch,
    groups,
    advantages,
    baselines,
    baselines.map(() => 1),
    withStages,
  )
}

function groupResult(
  batch: RewardBatch,
  { questionIds, questionOf }: QuestionGroups,
  advantages: Float64Array,
  baselines: Float64Array,
  divisors: Float64Array,
  withStages = true,
): Unstamped<GroupResult> {
  const rewards = Float64Array.from(batch.rewards)
  const stages: GroupStages = { type: 'group', rewards, questionIds, questionOf, baselines, divisors }
  return { level: 'response', advantages, stages: withStages ? stages : undefined, state: undefined }
}

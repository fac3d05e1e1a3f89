import {
  defineEstimator,
  type AdvantageEstimator,
  type EstimateRun,
  type ResponseAdvantages,
  type Unstamped,
} from './advantage-estimator.ts'
import { deviationOf } from './batch-deviation.ts'
import { drpoErrors } from './errors.ts'
import { addToFairHistory, type FairHistory, parseFairHistory, pastDomain } from './fair-grpo-history.ts'
import { fairGrpoOptionTable, type FairGrpoOptions } from './fair-grpo-options.ts'
import { type FairDomain, groupDomain } from './fair-groups.ts'
import { groupAdvantages } from './group-advantage.ts'
import {
  checkGroupSizes,
  checkLength,
  commonGroupSize,
  groupQuestions,
  type QuestionGroups,
  type QuestionId,
  type RewardBatch,
} from './reward-batch.ts'

/** Everything between rewards and FairGRPO's advantages. B responses, Q questions. */
export interface FairGrpoStages {
  readonly type: 'fair-grpo'
  readonly options: FairGrpoOptions
  /** [B] r */
  readonly rewards: Float64Array
  /** [Q] in order of first appearance. */
  readonly questionIds: readonly QuestionId[]
  /** [B] index into `questionIds`. */
  readonly questionOf: Int32Array
  /** [Q] index into `domains`. */
  readonly domainOf: Int32Array
  /** [Q] index into its domain's `groups`. */
  readonly groupOf: Int32Array
  /** [Q] μ_q */
  readonly means: Float64Array
  /** [Q] σ_q */
  readonly deviations: Float64Array
  /** [B] s, eq. 1. */
  readonly normalized: Float64Array
  readonly domains: readonly FairDomain[]
  /** [Q] what s is divided by: T_d T_g with its bounds. */
  readonly divisors: Float64Array
  /** [B] s' */
  readonly scaled: Float64Array
  /** Deviation of s' over the batch. */
  readonly batchDeviation: number
}

/** What FairGRPO returns. */
export type FairGrpoAdvantages = ResponseAdvantages<FairGrpoStages, FairHistory | undefined>

function estimateFairGrpo(
  estimator: string,
  batch: RewardBatch,
  options: FairGrpoOptions,
  run: EstimateRun,
): Unstamped<FairGrpoAdvantages> {
  const groups = groupQuestions(batch)
  checkGroupSizes(groups, estimator)
  checkRewards(batch)
  const { means, deviations, normalized } = groupAdvantages(batch.rewards, groups, options.epsilon, 'sample')
  const { domains, state } = groupDomains(batch, groups, options, run.state)
  const { groupOf, divisors } = questionDivisors(domains, deviations, options)
  const scaled = new Float64Array(normalized.length)
  groups.questionOf.forEach((question, response) => {
    scaled[response] = deviations[question] === 0 ? 0 : normalized[response]! / divisors[question]!
  })
  const batchDeviation = deviationOf(scaled, 'sample')
  const advantages = scaled.map(value => (batchDeviation === 0 ? 0 : value / batchDeviation))
  const result = { level: 'response', advantages, state } as const
  if (run.stages === false) return { ...result, stages: undefined }
  const { questionIds, questionOf, domainOf } = groups
  const rewards = Float64Array.from(batch.rewards)
  const sorted = { type: 'fair-grpo', options, rewards, questionIds, questionOf, domainOf, groupOf } as const
  const stages = { ...sorted, means, deviations, normalized, domains, divisors, scaled, batchDeviation }
  return { ...result, stages }
}

/** A negative mean would make a temperature negative, and turn the advantages of its group round. */
function checkRewards(batch: RewardBatch): void {
  for (let response = 0; response < batch.rewards.length; response++)
    if (batch.rewards[response]! < 0)
      throw drpoErrors.REWARD_NEGATIVE({
        value: batch.rewards[response]!,
        response,
        question: batch.questionIds[response]!,
      })
}

function groupDomains(
  batch: RewardBatch,
  groups: QuestionGroups,
  options: FairGrpoOptions,
  state: unknown,
): { readonly domains: FairDomain[]; readonly state: FairHistory | undefined } {
  const groupSize = commonGroupSize(groups)
  const labels = questionLabels(batch, groups, options)
  const isRunning = options.history === 'running'
  const history = parseFairHistory(isRunning ? state : undefined)
  const questionsOf = Map.groupBy(groups.questionIds.keys(), question => groups.domainOf[question]!)
  const grouped = groups.domains.map((domain, index) => {
    const questions = Int32Array.from(questionsOf.get(index)!) // every domain has a question
    const rows = { domain, questions, rewards: batch.rewards, groups, groupSize, labels }
    return groupDomain(rows, pastDomain(history, domain, groupSize), options)
  })
  const domains = grouped.map(({ domain }) => domain)
  return { domains, state: isRunning ? addToFairHistory(history, grouped) : undefined }
}

/** [Q] the demographic label of each question; undefined where it has none, or none is to be read. */
function questionLabels(
  batch: RewardBatch,
  { questionIds, questionOf }: QuestionGroups,
  { groups: reading }: FairGrpoOptions,
): (string | undefined)[] {
  const labels = questionIds.map((): string | undefined => undefined)
  const { demographics } = batch
  if (reading === 'clusters' || demographics === undefined) return labels
  checkLength('demographics', demographics, questionOf.length)
  const seen = new Set<number>()
  for (let response = 0; response < questionOf.length; response++) {
    const question = questionOf[response]!
    const label = isUnlabelled(demographics[response]!) ? undefined : demographics[response]!
    if (seen.has(question) && labels[question] !== label)
      throw drpoErrors.DEMOGRAPHICS_CONFLICT({ question: questionIds[question]! })
    seen.add(question)
    labels[question] = label
  }
  return labels
}

function isUnlabelled(label: string): boolean {
  return label === '' || label === 'UNK'
}

function questionDivisors(
  domains: readonly FairDomain[],
  deviations: Float64Array,
  options: FairGrpoOptions,
): { readonly groupOf: Int32Array; readonly divisors: Float64Array } {
  const [groupOf, divisors] = [new Int32Array(deviations.length), new Float64Array(deviations.length)]
  for (const domain of domains)
    domain.groups.forEach((group, index) => {
      for (const question of group.questions) {
        groupOf[question] = index
        divisors[question] = divisorOf(domain, group, options)
      }
    })
  return { groupOf, divisors }
}

/** The largest divisor of the public code's form without demographics. */
const largestDivisor = 1e6

function divisorOf(
  domain: FairDomain,
  group: FairDomain['groups'][number],
  { clamp, epsilon }: FairGrpoOptions,
): number {
  if (clamp === 'product') return Math.max(domain.temperature * group.temperature, epsilon)
  if (clamp === 'domain') return Math.max(domain.temperature, epsilon) * group.temperature
  const cold = Math.max(domain.temperature, epsilon) * Math.sqrt(group.count) * Math.max(group.mean, epsilon)
  return Math.min(Math.max(cold, epsilon), largestDivisor)
}

/**
 * FairGRPO (Dai et al. 2025, arXiv 2510.19893; since its second version EQPO): DRPO with the demographic group in the place
 * of the cluster, and without damping. Questions without a label are clustered by their rewards, and every cluster is a
 * group of its own. Rewards are at least 0.
 */
export const fairGrpo: AdvantageEstimator<FairGrpoAdvantages> = defineEstimator({
  name: 'fair-grpo',
  about: 'FairGRPO: group advantages over the temperatures of domain and demographic group, at unit deviation.',
  needs: { demographics: true, smallestGroup: 2 },
  options: fairGrpoOptionTable,
  estimate: (batch, options, run) => estimateFairGrpo('fair-grpo', batch, options, run),
})

/** FairGRPO that reads no label: every question is clustered by its rewards. */
export const fairGrpoNd: AdvantageEstimator<FairGrpoAdvantages> = defineEstimator({
  name: 'fair-grpo-nd',
  about: 'FairGRPO without demographics: clusters of rewards in the place of groups.',
  needs: { smallestGroup: 2 },
  options: { ...fairGrpoOptionTable, groups: { ...fairGrpoOptionTable.groups, default: 'clusters' } },
  estimate: (batch, options, run) => estimateFairGrpo('fair-grpo-nd', batch, options, run),
})

/** FairGRPO under the name that its second version has. */
export const eqpo: AdvantageEstimator<FairGrpoAdvantages> = defineEstimator({
  name: 'eqpo',
  about: 'EQPO: the name of FairGRPO since its second version.',
  needs: { demographics: true, smallestGroup: 2 },
  options: fairGrpoOptionTable,
  estimate: (batch, options, run) => estimateFairGrpo('eqpo', batch, options, run),
})

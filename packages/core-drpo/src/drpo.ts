import {
  defineEstimator,
  type AdvantageEstimator,
  type EstimateRun,
  type ResponseAdvantages,
  type Unstamped,
} from './advantage-estimator.ts'
import { requirePositiveMeans, scaleDomain, type DomainStage } from './domain-scaling.ts'
import { extendHistory, parseDrpoHistory, slideHistory, type DrpoHistory } from './drpo-history.ts'
import { drpoOptionTable, recommendedOptions, type DrpoOptions } from './drpo-options.ts'
import { groupAdvantages } from './group-advantage.ts'
import { klDamping, type KlDamping } from './kl-damping.ts'
import { deviationOf } from './batch-deviation.ts'
import { clipWeights, domainRootMeanSquares } from './question-weights.ts'
import {
  checkFinite,
  checkGroupSizes,
  checkLength,
  commonGroupSize,
  groupQuestions,
  type QuestionGroups,
  type QuestionId,
  type RewardBatch,
} from './reward-batch.ts'

/** Everything between rewards and DRPO advantages. B responses, Q questions. */
export interface DrpoStages {
  readonly type: 'drpo'
  readonly options: DrpoOptions
  /** [B] r */
  readonly rewards: Float64Array
  /** [Q] in order of first appearance. */
  readonly questionIds: readonly QuestionId[]
  /** [B] index into `questionIds`. */
  readonly questionOf: Int32Array
  /** [Q] index into `domains`. */
  readonly domainOf: Int32Array
  /** [Q] index into its domain's `clusters`; -1 where nothing was clustered. */
  readonly clusterOf: Int32Array
  /** [Q] μ_q */
  readonly means: Float64Array
  /** [Q] σ_q */
  readonly deviations: Float64Array
  /** [B] s, eq. 1. */
  readonly normalized: Float64Array
  readonly domains: readonly DomainStage[]
  /** [Q] T_g · T_c, within the bounds of `weightClip`. */
  readonly temperatures: Float64Array
  /** [D] what each domain's s / (T_g · T_c) is divided by; missing without `domainRms: 'equal'`. */
  readonly domainRms?: Float64Array
  /** [B] s' = s / (T_g · T_c), eq. 3 without m; at equal root mean squares of the domains where that is asked for. */
  readonly scaled: Float64Array
  /** [Q] k_q, eq. 4; undefined without damping. */
  readonly questionKl: Float64Array | undefined
  /** Eqs. 4 and 5; undefined with `noKl`, or for a batch without `kl`. */
  readonly damping: KlDamping | undefined
  /** Deviation of m · s' over the batch. */
  readonly batchDeviation: number
}

/** What DRPO returns. */
export type DrpoAdvantages = ResponseAdvantages<DrpoStages, DrpoHistory | undefined>

/**
 * Domain-aware Relative Policy Optimization (section 3.3): eq. 1 per question, divided by the temperatures of domain and
 * cluster (eqs. 2 and 3), damped by KL (eqs. 4 and 5), and scaled to unit deviation over the batch.
 *
 * @param batch every question with the same number of responses, at least two; `kl` for the damping
 * @param options see `drpoOptionTable`; `referenceOptions` reproduces the public code
 * @throws DRPO_EMPTY_BATCH, DRPO_LENGTH_MISMATCH, DRPO_VALUE_NOT_FINITE, DRPO_DOMAIN_CONFLICT, DRPO_GROUP_TOO_SMALL,
 * DRPO_RAGGED_GROUPS, DRPO_UNKNOWN_OPTION, DRPO_INVALID_OPTION, DRPO_STATE_INVALID, DRPO_ZERO_TEMPERATURE,
 * DRPO_NON_POSITIVE_MEAN
 */
export function drpoAdvantages(
  batch: RewardBatch,
  options: Partial<DrpoOptions> = {},
  run: EstimateRun = {},
): DrpoAdvantages {
  return drpo.estimate(batch, options, run)
}

function estimateDrpo(
  estimator: string,
  batch: RewardBatch,
  options: DrpoOptions,
  run: EstimateRun,
): Unstamped<DrpoAdvantages> {
  const groups = groupQuestions(batch)
  checkGroupSizes(groups, estimator)
  const { means, deviations, normalized } = groupAdvantages(batch.rewards, groups, options.epsilon, options.deviation)
  const { domains, state } = scaleDomains(batch.rewards, groups, options, run.state)
  if (options.nonPositiveMean === 'refuse') requirePositiveMeans(domains, deviations)
  const clusterOf = clustersOfQuestions(domains, groups.questionIds.length)
  const temperatures = questionTemperatures(groups, domains, clusterOf, options)
  const divided = divideByTemperatures(normalized, groups, domains, temperatures, options)
  const finished = dampAndScale(divided.scaled, batch, groups, options)
  const result = { level: 'response', advantages: finished.advantages, state } as const
  if (run.stages === false) return { ...result, stages: undefined }
  const { questionIds, questionOf, domainOf } = groups
  const { questionKl, damping, batchDeviation } = finished
  const rewards = Float64Array.from(batch.rewards)
  const sorted = { type: 'drpo', options, rewards, questionIds, questionOf, domainOf, clusterOf } as const
  const parts = { means, deviations, normalized, domains, temperatures, ...divided } as const
  const stages = { ...sorted, ...parts, questionKl, damping, batchDeviation }
  return { ...result, stages }
}

function scaleDomains(
  rewards: ArrayLike<number>,
  groups: QuestionGroups,
  options: DrpoOptions,
  state: unknown,
): { domains: DomainStage[]; state: DrpoHistory | undefined } {
  const groupSize = commonGroupSize(groups)
  const isRunning = options.history === 'running'
  const history = parseDrpoHistory(isRunning ? state : undefined)
  const scaled = questionsOfDomains(groups).map((questions, index) =>
    scaleDomain(groups.domains[index]!, questions, rewards, groups, groupSize, history, options),
  )
  const domains = scaled.map(({ stage }) => stage)
  if (!isRunning) return { domains, state: undefined }
  if (options.historyQuestions > 0) {
    const own = scaled.map(({ stage, own: points }) => ({ domain: stage.domain, points }))
    return { domains, state: slideHistory(history, own, options.historyQuestions) }
  }
  const updates = scaled.map(({ stage, points }) => ({ domain: stage.domain, points }))
  return { domains, state: extendHistory(history, updates) }
}

function questionsOfDomains({ domains, domainOf }: QuestionGroups): Int32Array[] {
  const sizes = new Int32Array(domains.length)
  for (const domain of domainOf) sizes[domain]! += 1
  const questions = Array.from(sizes, size => new Int32Array(size))
  const next = new Int32Array(domains.length)
  domainOf.forEach((domain, question) => {
    questions[domain]![next[domain]!++] = question
  })
  return questions
}

function clustersOfQuestions(domains: readonly DomainStage[], count: number): Int32Array {
  const clusterOf = new Int32Array(count)
  for (const domain of domains)
    domain.questions.forEach((question, position) => (clusterOf[question] = domain.clusterOf[position]!))
  return clusterOf
}

function questionTemperatures(
  { domainOf }: QuestionGroups,
  domains: readonly DomainStage[],
  clusterOf: Int32Array,
  { domainOnly, weightClip }: DrpoOptions,
): Float64Array {
  const temperatures = new Float64Array(domainOf.length)
  for (let question = 0; question < temperatures.length; question++) {
    const domain = domains[domainOf[question]!]!
    const clusterTemperature = domainOnly ? 1 : domain.clusters[clusterOf[question]!]!.temperature
    temperatures[question] = domain.temperature * clusterTemperature
  }
  for (const { questions } of domains) clipWeights(temperatures, questions, weightClip)
  return temperatures
}

function divideByTemperatures(
  normalized: Float64Array,
  { questionOf, domainOf }: QuestionGroups,
  domains: readonly DomainStage[],
  temperatures: Float64Array,
  options: DrpoOptions,
): Pick<DrpoStages, 'scaled' | 'domainRms'> {
  const scaled = new Float64Array(normalized.length)
  for (let response = 0; response < scaled.length; response++)
    scaled[response] = normalized[response]! / temperatures[questionOf[response]!]!
  if (options.domainRms === 'none') return { scaled }
  const domainOfResponse = (response: number): number => domainOf[questionOf[response]!]!
  const domainRms = domainRootMeanSquares(scaled, domainOfResponse, domains)
  for (let response = 0; response < scaled.length; response++)
    scaled[response]! /= domainRms[domainOfResponse(response)]!
  return { scaled, domainRms }
}

function dampAndScale(
  scaled: Float64Array,
  batch: RewardBatch,
  groups: QuestionGroups,
  options: DrpoOptions,
): Pick<DrpoStages, 'questionKl' | 'damping' | 'batchDeviation'> & { advantages: Float64Array } {
  const questionKl = options.noKl || batch.kl === undefined ? undefined : sumKl(batch, batch.kl, groups)
  const isLate = options.dampingOrder === 'after-scale'
  const damp = (values: Float64Array): KlDamping | undefined =>
    questionKl === undefined ? undefined : dampingOf(values, batch, groups, questionKl, options)
  const early = isLate ? undefined : damp(scaled)
  const damped = multiply(scaled, early?.factors)
  const batchDeviation = deviationOf(damped, options.deviation)
  const even = divide(damped, batchDeviation === 0 ? Infinity : batchDeviation + options.batchEpsilon)
  const damping = isLate ? damp(even) : early
  return { advantages: isLate ? multiply(even, damping?.factors) : even, questionKl, damping, batchDeviation }
}

function sumKl(batch: RewardBatch, kl: ArrayLike<number>, { questionIds, questionOf }: QuestionGroups): Float64Array {
  checkLength('kl', kl, batch.rewards.length)
  checkFinite('kl', kl, batch)
  const sums = new Float64Array(questionIds.length)
  for (let response = 0; response < questionOf.length; response++) sums[questionOf[response]!]! += kl[response]!
  return sums
}

function dampingOf(
  values: Float64Array,
  batch: RewardBatch,
  { questionOf }: QuestionGroups,
  questionKl: Float64Array,
  options: DrpoOptions,
): KlDamping {
  const isOwn = options.dampingKl === 'response'
  const kl = new Float64Array(questionOf.length)
  for (let response = 0; response < kl.length; response++)
    kl[response] = isOwn ? batch.kl![response]! : questionKl[questionOf[response]!]! // kl was summed into questionKl
  const { dampingQuantile, dampingSign, dampingQuantileOver, dampingScope, epsilon } = options
  const reading = {
    quantile: dampingQuantile,
    sign: dampingSign,
    quantileOver: dampingQuantileOver,
    scope: dampingScope,
  }
  return klDamping(values, kl, questionOf, { ...reading, epsilon })
}

function multiply(values: Float64Array, factors: Float64Array | undefined): Float64Array {
  if (factors === undefined) return values
  const products = new Float64Array(values.length)
  for (let at = 0; at < values.length; at++) products[at] = values[at]! * factors[at]!
  return products
}

function divide(values: Float64Array, divisor: number): Float64Array {
  const quotients = new Float64Array(values.length)
  for (let at = 0; at < values.length; at++) quotients[at] = values[at]! / divisor
  return quotients
}

/** DRPO under its name in configurations. */
export const drpo: AdvantageEstimator<DrpoAdvantages> = defineEstimator({
  name: 'drpo',
  about: 'DRPO: group advantages over domain and cluster temperatures, damped by KL, at unit deviation (section 3.3).',
  needs: { kl: true, smallestGroup: 2 },
  options: drpoOptionTable,
  estimate: (batch, options, run) => estimateDrpo('drpo', batch, options, run),
})

/** DRPO without the cluster temperature, a variant the paper reports. */
export const drpoDomainOnly: AdvantageEstimator<DrpoAdvantages> = defineEstimator({
  name: 'drpo-domain-only',
  about: 'DRPO without the cluster temperature T_c.',
  needs: { kl: true, smallestGroup: 2 },
  options: { ...drpoOptionTable, domainOnly: { ...drpoOptionTable.domainOnly, default: true } },
  estimate: (batch, options, run) => estimateDrpo('drpo-domain-only', batch, options, run),
})

/** DRPO without the damping, a variant the paper reports. */
export const drpoNoKl: AdvantageEstimator<DrpoAdvantages> = defineEstimator({
  name: 'drpo-no-kl',
  about: 'DRPO without the damping m.',
  needs: { smallestGroup: 2 },
  options: { ...drpoOptionTable, noKl: { ...drpoOptionTable.noKl, default: true } },
  estimate: (batch, options, run) => estimateDrpo('drpo-no-kl', batch, options, run),
})

/** DRPO as a simulation recommends it: `recommendedOptions` are its defaults. */
export const drpoRecommended: AdvantageEstimator<DrpoAdvantages> = defineEstimator({
  name: 'drpo-recommended',
  about: 'DRPO with domains at equal strength, clusters over the last 256 questions and damping per question.',
  needs: { kl: true, smallestGroup: 2 },
  options: recommendedTable(),
  estimate: (batch, options, run) => estimateDrpo('drpo-recommended', batch, options, run),
})

function recommendedTable(): typeof drpoOptionTable {
  const rows = Object.entries(drpoOptionTable).map(([name, row]) => {
    const value = Object.entries(recommendedOptions).find(([option]) => option === name)?.[1]
    return [name, value === undefined ? row : { ...row, default: value }]
  })
  return Object.fromEntries(rows) as typeof drpoOptionTable // the same rows with other defaults
}

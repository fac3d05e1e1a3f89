import type { AdvantageResult } from './advantage-estimator.ts'
import type { DrpoStages } from './drpo.ts'
import { drpoErrors } from './errors.ts'
import type { FairGrpoStages } from './fair-grpo.ts'
import type { GroupStages } from './group-estimators.ts'
import type { TokenStages } from './token-estimators.ts'

/** Why a response got its advantage, in words and in numbers. */
export interface AdvantageExplanation {
  /** A few sentences. */
  readonly words: string
  /** The same as named numbers: what was divided by what. */
  readonly numbers: Readonly<Record<string, number>>
}

/**
 * Says why a response got its advantage: reward, group, domain, cluster, temperatures, damping. An estimator of the user's
 * own, whose stages are not known here, is answered with the advantage alone.
 *
 * @param result of `estimateAdvantages`, with stages
 * @param response index into the batch
 * @throws DRPO_RESPONSE_UNKNOWN, DRPO_STAGES_MISSING
 */
export function explainAdvantage(result: AdvantageResult, response: number): AdvantageExplanation {
  const count = result.advantages.length
  if (!Number.isInteger(response) || response < 0 || response >= count)
    throw drpoErrors.RESPONSE_UNKNOWN({ response, count })
  if (result.stages === undefined) throw drpoErrors.STAGES_MISSING({ estimator: result.estimator })
  const stages = result.stages as { readonly type?: unknown } // of whatever estimator; `type` tells which
  if (result.level === 'response') {
    const advantage = result.advantages[response]!
    if (stages.type === 'drpo') return explainDrpo(stages as DrpoStages, advantage, response) // told by its type
    if (stages.type === 'fair-grpo') return explainFair(stages as FairGrpoStages, advantage, response) // likewise
    if (stages.type === 'group') return explainGroup(stages as GroupStages, result.estimator, advantage, response) // likewise
    return {
      words: `${result.estimator} gives response ${response} the advantage ${show(advantage)}.`,
      numbers: { advantage },
    }
  }
  const advantages = result.advantages[response]!
  if (stages.type === 'token') return explainToken(stages as TokenStages, result.estimator, advantages, response) // likewise
  const mean = meanOf(advantages)
  return {
    words: `${result.estimator} gives the tokens of response ${response} the mean advantage ${show(mean)}.`,
    numbers: { mean },
  }
}

function explainDrpo(stages: DrpoStages, advantage: number, response: number): AdvantageExplanation {
  const question = stages.questionOf[response]!
  const domain = stages.domains[stages.domainOf[question]!]!
  const cluster = domain.clusters[stages.clusterOf[question]!]
  const clusterTemperature = stages.options.domainOnly ? undefined : cluster?.temperature
  const damping = stages.damping?.factors[response]
  const numbers = {
    reward: stages.rewards[response]!,
    groupMean: stages.means[question]!,
    groupDeviation: stages.deviations[question]!,
    normalized: stages.normalized[response]!,
    domainCount: domain.count,
    domainMean: domain.mean,
    domainTemperature: domain.temperature,
    ...(cluster && { clusterCount: cluster.size, clusterMean: cluster.mean }),
    ...(clusterTemperature !== undefined && { clusterTemperature }),
    scaled: stages.scaled[response]!,
    ...(damping !== undefined && { questionKl: stages.questionKl![question]!, klDamping: damping }),
    batchDeviation: stages.batchDeviation,
    advantage,
  }
  const words = [
    groupWords(stages, response, question),
    `Domain ${domain.domain} has ${questions(domain.count)} of mean reward ${show(domain.mean)}, so T_g = ${show(domain.temperature)}.`,
    clusterTemperature === undefined || cluster === undefined
      ? 'No cluster temperature applies.'
      : `Its cluster (${stages.clusterOf[question]! + 1} of ${domain.k}, the hardest first) has ${questions(cluster.size)} of mean reward ${show(cluster.mean)}, so T_c = ${show(clusterTemperature)}.`,
    `Divided by both temperatures${rmsWords(stages, question)} s becomes ${show(numbers.scaled)}.`,
    dampingWords(stages, question, damping),
    `With the batch deviation ${show(stages.batchDeviation)} the advantage is ${show(advantage)}.`,
  ]
  return { words: words.join(' '), numbers }
}

/** What else s is divided by. */
function rmsWords({ domainRms, domainOf, domains }: DrpoStages, question: number): string {
  if (!domainRms) return ''
  const domain = domainOf[question]!
  return ` and by ${show(domainRms[domain]!)}, which gives ${domains[domain]!.domain} the root mean square of every other domain,`
}

function explainFair(stages: FairGrpoStages, advantage: number, response: number): AdvantageExplanation {
  const question = stages.questionOf[response]!
  const domain = stages.domains[stages.domainOf[question]!]!
  const group = domain.groups[stages.groupOf[question]!]!
  const numbers = {
    reward: stages.rewards[response]!,
    groupMean: stages.means[question]!,
    groupDeviation: stages.deviations[question]!,
    normalized: stages.normalized[response]!,
    domainCount: domain.count,
    domainMean: domain.mean,
    domainTemperature: domain.temperature,
    demographicCount: group.count,
    demographicMean: group.mean,
    demographicTemperature: group.temperature,
    divisor: stages.divisors[question]!,
    scaled: stages.scaled[response]!,
    batchDeviation: stages.batchDeviation,
    advantage,
  }
  const words = [
    groupWords(stages, response, question),
    `Domain ${domain.domain} has ${questions(domain.count)} of mean reward ${show(domain.mean)}, so T_d = ${show(domain.temperature)}.`,
    `Its ${group.isCluster ? 'group' : 'demographic group'} ${group.name} has ${questions(group.count)} of mean reward ${show(group.mean)}, so T_g = ${show(group.temperature)}.`,
    `Divided by ${show(numbers.divisor)} s becomes ${show(numbers.scaled)}.`,
    `With the batch deviation ${show(stages.batchDeviation)} the advantage is ${show(advantage)}.`,
  ]
  return { words: words.join(' '), numbers }
}

function groupWords(
  stages: Pick<DrpoStages, 'rewards' | 'questionIds' | 'deviations' | 'means' | 'normalized'>,
  response: number,
  question: number,
): string {
  const reward = show(stages.rewards[response]!)
  const id = String(stages.questionIds[question]!)
  if (stages.deviations[question] === 0)
    return `Response ${response} to question ${id} earned ${reward}, as every response to it did, so s = 0.`
  const mean = show(stages.means[question]!)
  const deviation = show(stages.deviations[question]!)
  const s = show(stages.normalized[response]!)
  return `Response ${response} to question ${id} earned ${reward} where its group has the mean ${mean} and the deviation ${deviation}, so s = ${s}.`
}

function dampingWords(
  { options, damping, questionKl }: DrpoStages,
  question: number,
  factor: number | undefined,
): string {
  if (options.noKl) return 'Damping is off.'
  if (damping === undefined || questionKl === undefined || factor === undefined)
    return 'The batch has no KL, so nothing is damped.'
  const kl = `The question's KL is ${show(questionKl[question]!)}`
  if (!damping.isActive) return `${kl}, but the threshold t_p is not above ε, so nothing is damped.`
  const threshold = show(damping.threshold ?? 0)
  if (factor === 1) return `${kl}; the response is not damped (t_p = ${threshold}).`
  return `${kl}, so with t_p = ${threshold} the response is damped to ${show(100 * factor)} %.`
}

function explainGroup(
  stages: GroupStages,
  estimator: string,
  advantage: number,
  response: number,
): AdvantageExplanation {
  const reward = stages.rewards[response]!
  const baseline = stages.baselines[response]!
  const divisor = stages.divisors[response]!
  const id = String(stages.questionIds[stages.questionOf[response]!]!)
  const start = `Response ${response} to question ${id} earned ${show(reward)}; ${estimator} subtracts ${show(baseline)}`
  const middle = divisor === 1 ? '' : divisor === 0 ? ', and equal rewards give 0' : ` and divides by ${show(divisor)}`
  const words = `${start}${middle}, which is the advantage ${show(advantage)}.`
  return { words, numbers: { reward, baseline, divisor, advantage } }
}

function explainToken(
  stages: TokenStages,
  estimator: string,
  advantages: Float64Array,
  response: number,
): AdvantageExplanation {
  const reward = stages.rewards[response]!
  const rawMean = meanOf(stages.raw[response]!)
  const mean = meanOf(advantages)
  const { mean: batchMean, deviation: batchDeviation } = stages
  const words =
    `Response ${response} earned ${show(reward)}; its ${advantages.length} tokens have a mean ${estimator} value of ${show(rawMean)}. ` +
    `Over all tokens of the batch that value has the mean ${show(batchMean)} and the deviation ${show(batchDeviation)}, ` +
    `and the tokens of this response end at a mean advantage of ${show(mean)}.`
  return { words, numbers: { reward, tokens: advantages.length, rawMean, batchMean, batchDeviation, mean } }
}

function meanOf(values: Float64Array): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length
}

function questions(count: number): string {
  return count === 1 ? '1 question' : `${count} questions`
}

/** Four significant digits without an exponent where that is short. */
function show(value: number): string {
  return String(Number(value.toPrecision(4)))
}

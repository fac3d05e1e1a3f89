import { klEstimators, type AdvantageResult, type DrpoStages } from '@qoq-med/core-drpo'
import type { Collected } from './collect-rollouts.ts'
import type { PolicyStage } from './config.ts'
import { trainerErrors } from './errors.ts'
import type { ScoredRollouts } from './rollouts.ts'
import { mean } from './stage-context.ts'

/** Where a step's time went. */
export interface StepSeconds {
  readonly rollout: number
  readonly reward: number
  readonly score: number
  readonly advantage: number
  readonly update: number
}

/** Metrics of a reinforcement step, before the update (training.md, "What must hold"). */
export interface PolicyMetrics {
  readonly reward: number
  readonly rewardParts: Readonly<Record<string, number>>
  readonly rewardByDomain: Readonly<Record<string, number>>
  /** Largest difference of a token's log-probability between sampler and trainer. */
  readonly logprobGap: number
  readonly entropy: number
  /** Mean k3 estimate per token of KL(policy ‖ reference), before the update. */
  readonly kl: number
  readonly responseTokens: number
  /** Share of answers that were cut off at the limit. */
  readonly truncated: number
  /** Share of groups whose rewards are all equal: they teach nothing. */
  readonly constantGroups: number
  /** Questions that were sampled and rounds of sampling, where groups of equal reward are left out. */
  readonly askedQuestions?: number
  readonly samplingRounds?: number
  /** Mean reward of the most likely answers, where the algorithm compares with them. */
  readonly baseline?: number
  /** Mean of the critic's values, where there is a critic. */
  readonly value?: number
  readonly domains?: Readonly<Record<string, { questions: number; temperature: number; clusters: number }>>
  readonly tokensPerSecond: number
  /** Share of the step that rewards and advantages took. */
  readonly rewardAndAdvantageShare: number
  readonly times: StepSeconds
}

/** How a step was made. */
export interface StepCourse {
  readonly times: StepSeconds
  readonly collected: Collected
}

/** Summarises a step. */
export function stepMetrics(
  scored: ScoredRollouts,
  result: AdvantageResult,
  { times, collected }: StepCourse,
): PolicyMetrics {
  const { rollouts, policy, reference } = scored
  const scores = rollouts.map(({ breakdown }) => breakdown.score)
  const total = Object.values(times).reduce<number>((sum, seconds) => sum + Number(seconds), 0)
  const k3 = klEstimators.low_var_kl.value
  return {
    reward: mean(scores),
    rewardParts: meansByName(rollouts.map(({ breakdown }) => breakdown.parts)),
    rewardByDomain: meansByName(rollouts.map(({ prepared }, i) => ({ [prepared.sample.domain]: scores[i]! }))),
    logprobGap: logprobGap(scored).gap,
    entropy: mean(policy.flatMap(({ entropy }) => [...entropy])),
    kl: mean(policy.flatMap(({ logprobs }, i) => [...logprobs].map((value, t) => k3(value, reference[i]![t]!)))),
    responseTokens: mean(rollouts.map(({ completion }) => completion.tokenIds.length)),
    truncated: mean(rollouts.map(({ completion }) => (completion.finish === 'length' ? 1 : 0))),
    constantGroups: constantShare(scored),
    ...(collected.rounds > 1 && { askedQuestions: collected.asked, samplingRounds: collected.rounds }),
    ...comparisonMetrics(scored),
    ...domainMetrics(result),
    tokensPerSecond: collected.sampledTokens / times.rollout,
    rewardAndAdvantageShare: (times.reward + times.advantage) / total,
    times,
  }
}

function comparisonMetrics({ rollouts, values }: ScoredRollouts): Pick<PolicyMetrics, 'baseline' | 'value'> {
  const baselines = rollouts.flatMap(({ baseline }) => baseline ?? [])
  return {
    ...(baselines.length > 0 && { baseline: mean(baselines) }),
    ...(values && { value: mean(values.flatMap(row => [...row])) }),
  }
}

/**
 * Refuses a step whose sampler and trainer disagree about the probability of a token: what trains would not be what was
 * sampled.
 *
 * @throws TRAINER_LOGPROB_GAP above the limit of the stage
 */
export function checkLogprobGap(stage: PolicyStage, step: number, scored: ScoredRollouts): void {
  const { limit } = stage.logprobGap
  const { gap, rollout } = logprobGap(scored)
  if (limit === undefined || gap <= limit) return
  const sample = scored.rollouts[rollout]!.prepared.sample.id
  throw trainerErrors.LOGPROB_GAP({ gap, limit, stage: stage.name, step, sample })
}

/** The mean of each name over the records that have it, names sorted. */
export function meansByName(records: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const names = new Set(records.flatMap(record => Object.keys(record)))
  const values = (name: string): number[] => records.flatMap(record => record[name] ?? [])
  return Object.fromEntries([...names].toSorted().map(name => [name, mean(values(name))]))
}

/** Largest difference of a token's log-probability between sampler and trainer, and the rollout that has it. */
function logprobGap({ rollouts, policy }: ScoredRollouts): { gap: number; rollout: number } {
  let [gap, rollout] = [0, 0]
  rollouts.forEach(({ completion }, i) => {
    completion.logprobs.forEach((logprob, t) => {
      const difference = Math.abs(logprob - policy[i]!.logprobs[t]!)
      if (difference > gap) [gap, rollout] = [difference, i]
    })
  })
  return { gap, rollout }
}

function constantShare({ rollouts }: ScoredRollouts): number {
  const groups = new Map<number, Set<number>>()
  for (const { question, reward } of rollouts) groups.set(question, (groups.get(question) ?? new Set()).add(reward))
  return mean([...groups.values()].map(rewards => (rewards.size === 1 ? 1 : 0)))
}

function domainMetrics({ stages }: AdvantageResult): Pick<PolicyMetrics, 'domains'> {
  if (!isDrpo(stages)) return {}
  const rows = stages.domains.map(
    ({ domain, questions, temperature, k }) =>
      [domain, { questions: questions.length, temperature, clusters: k }] as const,
  )
  return { domains: Object.fromEntries(rows) }
}

function isDrpo(stages: unknown): stages is DrpoStages {
  return typeof stages === 'object' && stages !== null && 'type' in stages && stages.type === 'drpo'
}

import type { AdvantageResult, DrpoStages } from '@qoq-med/core-drpo'
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
  readonly domains?: Readonly<Record<string, { questions: number; temperature: number; clusters: number }>>
  readonly tokensPerSecond: number
  /** Share of the step that rewards and advantages took. */
  readonly rewardAndAdvantageShare: number
  readonly times: StepSeconds
}

/** Summarises a step. */
export function stepMetrics(scored: ScoredRollouts, result: AdvantageResult, times: StepSeconds): PolicyMetrics {
  const { rollouts, rewards, policy, reference } = scored
  const scores = rewards.map(({ score }) => score)
  const tokens = rollouts.reduce((sum, { completion }) => sum + completion.tokenIds.length, 0)
  const total = Object.values(times).reduce<number>((sum, seconds) => sum + Number(seconds), 0)
  return {
    reward: mean(scores),
    rewardParts: meansByName(rewards.map(({ parts }) => parts)),
    rewardByDomain: meansByName(rollouts.map(({ prepared }, i) => ({ [prepared.sample.domain]: scores[i]! }))),
    logprobGap: largestGap(scored),
    entropy: mean(policy.flatMap(({ entropy }) => [...entropy])),
    kl: mean(policy.flatMap(({ logprobs }, i) => [...logprobs].map((value, t) => k3(reference[i]![t]! - value)))),
    responseTokens: tokens / rollouts.length,
    truncated: mean(rollouts.map(({ completion }) => (completion.finish === 'length' ? 1 : 0))),
    constantGroups: constantShare(scored),
    ...domainMetrics(result),
    tokensPerSecond: tokens / times.rollout,
    rewardAndAdvantageShare: (times.reward + times.advantage) / total,
    times,
  }
}

const k3 = (delta: number): number => Math.exp(delta) - delta - 1

function meansByName(records: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const names = new Set(records.flatMap(record => Object.keys(record)))
  const values = (name: string): number[] => records.flatMap(record => record[name] ?? [])
  return Object.fromEntries([...names].toSorted().map(name => [name, mean(values(name))]))
}

function largestGap({ rollouts, policy }: ScoredRollouts): number {
  let gap = 0
  rollouts.forEach(({ completion }, i) => {
    completion.logprobs.forEach((logprob, t) => (gap = Math.max(gap, Math.abs(logprob - policy[i]!.logprobs[t]!))))
  })
  return gap
}

function constantShare({ rollouts, rewards }: ScoredRollouts): number {
  const groups = new Map<number, Set<number>>()
  rollouts.forEach(({ question }, i) => {
    groups.set(question, (groups.get(question) ?? new Set()).add(rewards[i]!.score))
  })
  return mean([...groups.values()].map(scores => (scores.size === 1 ? 1 : 0)))
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

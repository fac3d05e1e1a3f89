import { klEstimators, type AdvantageResult } from '@qoq-med/core-drpo'
import { parseResponse } from '@qoq-med/rewards'
import type { Collected } from './collect-rollouts.ts'
import { drpoHazards, isDrpo, type DrpoHazards } from './drpo-hazards.ts'
import type { FirstScores } from './first-scores.ts'
import type { ScoredRollout } from './rollout.ts'
import { mean, meansByName } from '../means.ts'

/** Where a step's time went. */
export interface StepSeconds {
  readonly rollout: number
  readonly reward: number
  readonly score: number
  readonly advantage: number
  readonly update: number
}

/**
 * Metrics of a reinforcement step. Entropy and gap are of the first update, whose weights are
 * still those that sampled; a step that only trains the critic has none.
 */
export interface PolicyMetrics extends Partial<FirstScores>, Partial<DrpoHazards> {
  readonly reward: number
  readonly rewardParts: Readonly<Record<string, number>>
  readonly rewardByDomain: Readonly<Record<string, number>>
  /** Mean k3 estimate per token of KL(policy ‖ reference), before the update. */
  readonly kl: number
  readonly responseTokens: number
  /** Share of answers that were cut off at the limit. */
  readonly truncated: number
  /** Share of answers in which no `\\boxed{}` answer can be read. */
  readonly unparseable: number
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
  readonly first?: FirstScores | undefined
}

/** Summarises a step. */
export function stepMetrics(
  rollouts: readonly ScoredRollout[],
  result: AdvantageResult,
  { times, collected, first }: StepCourse,
): PolicyMetrics {
  const scores = rollouts.map(({ breakdown }) => breakdown.score)
  const total = Object.values(times).reduce<number>((sum, seconds) => sum + Number(seconds), 0)
  const k3 = klEstimators.low_var_kl.value
  return {
    reward: mean(scores),
    rewardParts: meansByName(rollouts.map(({ breakdown }) => breakdown.parts)),
    rewardByDomain: meansByName(rollouts.map(({ prepared }, i) => ({ [prepared.sample.domain]: scores[i]! }))),
    ...first,
    kl: mean(
      rollouts.flatMap(({ completion, refLogprobs }) =>
        Array.from(completion.logprobs, (p, t) => k3(p, refLogprobs[t]!)),
      ),
    ),
    responseTokens: mean(rollouts.map(({ completion }) => completion.tokenIds.length)),
    truncated: mean(rollouts.map(({ completion }) => (completion.finish === 'length' ? 1 : 0))),
    unparseable: mean(rollouts.map(({ completion }) => (parseResponse(completion.text).answer === undefined ? 1 : 0))),
    constantGroups: constantShare(rollouts),
    ...(collected.rounds > 1 && { askedQuestions: collected.asked, samplingRounds: collected.rounds }),
    ...comparisonMetrics(rollouts),
    ...domainMetrics(result),
    ...drpoHazards(result, rollouts, first?.logprobGap ?? 0),
    tokensPerSecond: collected.sampledTokens / times.rollout,
    rewardAndAdvantageShare: (times.reward + times.advantage) / total,
    times,
  }
}

function comparisonMetrics(rollouts: readonly ScoredRollout[]): Pick<PolicyMetrics, 'baseline' | 'value'> {
  const baselines = rollouts.flatMap(({ baseline }) => baseline ?? [])
  return {
    ...(baselines.length > 0 && { baseline: mean(baselines) }),
    ...(rollouts.some(({ values }) => values) && { value: mean(rollouts.flatMap(({ values = [] }) => [...values])) }),
  }
}

function constantShare(rollouts: readonly ScoredRollout[]): number {
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

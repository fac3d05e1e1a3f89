import type { Completion } from '@qoq-med/model'
import { algorithmOf } from '../config/algorithms.ts'
import { naming } from '../run/at-step.ts'
import { mixSeed } from '../config/mix-seed.ts'
import { preparedRuns } from '../run/prompts.ts'
import { stepSamples } from '../run/step-samples.ts'
import { secondsSince } from '../seconds-since.ts'
import type { PolicyParts } from './policy-parts.ts'
import { rewardedGroup } from './reward-rollouts.ts'
import type { RewardedRollout } from './rollout.ts'
import { sampleGroups } from './sample-groups.ts'

/** Where a step begins. */
export interface StepStart {
  readonly step: number
  /** Place in the endless order of samples. */
  readonly cursor: number
}

/** A step's rollouts with their rewards. */
export interface Collected {
  /** A question's rollouts adjacent. */
  readonly rollouts: readonly RewardedRollout[]
  /** Place in the endless order of samples after this step. */
  readonly cursor: number
  /** Questions that were sampled, those that dynamic sampling left out included. */
  readonly asked: number
  readonly rounds: number
  /** Tokens that were sampled, greedy answers and left-out groups included. */
  readonly sampledTokens: number
  readonly seconds: { readonly rollout: number; readonly reward: number }
}

/** The rollouts of a question. */
type Group = readonly RewardedRollout[]

/**
 * Samples and rewards the groups of a step. With dynamic sampling, groups of equal reward are left out and more questions
 * are asked, up to a bound; what is missing then is filled with groups that were left out.
 *
 * @throws StepFault for a reward, picture or answer that is not finite
 */
export async function collectRollouts(parts: PolicyParts, { step, cursor }: StepStart): Promise<Collected> {
  const { questionsPerStep, dynamicSampling } = parts.stage
  const maxRounds = dynamicSampling?.maxRounds ?? 1
  const seconds = { rollout: 0, reward: 0 }
  const groups: Group[] = []
  let [rounds, sampledTokens] = [0, 0]
  const chosen = (): Group[] => (dynamicSampling ? groups.filter(group => !isConstant(group)) : groups)
  while (rounds < maxRounds && chosen().length < questionsPerStep) {
    const round = await collectRound(parts, { step, cursor, asked: groups.length })
    groups.push(...round.groups)
    sampledTokens += round.tokens
    seconds.rollout += round.seconds.rollout
    seconds.reward += round.seconds.reward
    rounds++
  }
  const rest = groups.filter(group => !chosen().includes(group))
  const kept = [...chosen(), ...rest].slice(0, questionsPerStep)
  const rollouts = kept.flatMap((group, question) => group.map(rollout => ({ ...rollout, question })))
  return { rollouts, cursor: cursor + groups.length, asked: groups.length, rounds, sampledTokens, seconds }
}

function isConstant(group: Group): boolean {
  return group.every(({ reward }) => reward === group[0]!.reward)
}

async function collectRound(
  { run, stage, stageIndex, samples, policy }: PolicyParts,
  { step, cursor, asked }: StepStart & { readonly asked: number },
): Promise<{ groups: Group[]; tokens: number; seconds: Collected['seconds'] }> {
  const { config, signal, reward } = run
  const { questionsPerStep, groupSize, rollout } = stage
  const rolling = performance.now()
  const questions = await stepSamples(run, samples, { stageIndex, from: cursor + asked, count: questionsPerStep })
  const seedOf = (question: number): number => mixSeed(config.seed, stageIndex, step, asked + question)
  const greedy = algorithmOf(stage).hasGreedyBaseline === true
  const ids = questions.map(({ sample }) => sample.id)
  const sampled = { groups: [] as (readonly Completion[])[], greedy: [] as Completion[] }
  await naming(ids, async () => {
    for await (const { from, prepared } of preparedRuns(run.prepare, questions, config.data.mediaBytes)) {
      const options = { ...rollout, groupSize, greedy, seedOf: (q: number) => seedOf(from + q), signal }
      const part = await sampleGroups(policy, prepared, options)
      sampled.groups.push(...part.groups)
      sampled.greedy.push(...part.greedy)
    }
  })
  const rewarding = performance.now()
  const groups: Group[] = []
  for (const [q, prepared] of questions.entries()) {
    groups.push(
      await rewardedGroup(stage, reward, { prepared, sampled: sampled.groups[q]!, greedy: sampled.greedy[q] }),
    )
  }
  const completions = [...sampled.groups.flat(), ...sampled.greedy]
  return {
    groups,
    tokens: completions.reduce((sum, { tokenIds }) => sum + tokenIds.length, 0),
    seconds: { rollout: (rewarding - rolling) / 1000, reward: secondsSince(rewarding) },
  }
}

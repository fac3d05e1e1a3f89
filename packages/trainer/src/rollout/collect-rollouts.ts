import { isHintedError } from '@qoq-med/errors'
import type { Completion } from '@qoq-med/model'
import type { Breakdown } from '@qoq-med/rewards'
import { algorithmNamed } from '../config/algorithms.ts'
import type { PolicyStage } from '../config/run-config.ts'
import { trainerErrors } from '../errors.ts'
import type { PreparedSample } from '../run/prepared-sample.ts'
import { scoreAnswers, type RunReward } from '../run/run-reward.ts'
import { sampleGroups, type RewardedRollout } from './rollouts.ts'
import { mixSeed, samplesAt } from '../run/sample-order.ts'
import { prepareBatch, secondsSince, type StageContext } from '../stage/stage-context.ts'

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

interface Group {
  readonly rollouts: readonly RewardedRollout[]
  readonly isConstant: boolean
}

/**
 * Samples and rewards the groups of a step. With dynamic sampling, groups of equal reward are left out and more questions
 * are asked, up to a bound; what is missing then is filled with groups that were left out.
 *
 * @throws TRAINER_NOT_FINITE for a reward, picture or answer that is not finite
 */
export async function collectRollouts(
  stage: PolicyStage,
  context: StageContext,
  { step, cursor }: { readonly step: number; readonly cursor: number },
): Promise<Collected> {
  const { questionsPerStep, dynamicSampling } = stage
  const maxRounds = dynamicSampling?.maxRounds ?? 1
  const seconds = { rollout: 0, reward: 0 }
  const groups: Group[] = []
  let [rounds, sampledTokens] = [0, 0]
  const chosen = (): Group[] => (dynamicSampling ? groups.filter(({ isConstant }) => !isConstant) : groups)
  while (rounds < maxRounds && chosen().length < questionsPerStep) {
    const round = await collectRound(stage, context, { step, cursor, asked: groups.length })
    groups.push(...round.groups)
    sampledTokens += round.tokens
    seconds.rollout += round.seconds.rollout
    seconds.reward += round.seconds.reward
    rounds++
  }
  const rest = groups.filter(group => !chosen().includes(group))
  const kept = [...chosen(), ...rest].slice(0, questionsPerStep)
  const rollouts = kept.flatMap((group, question) => group.rollouts.map(rollout => ({ ...rollout, question })))
  return { rollouts, cursor: cursor + groups.length, asked: groups.length, rounds, sampledTokens, seconds }
}

async function collectRound(
  stage: PolicyStage,
  context: StageContext,
  { step, cursor, asked }: { readonly step: number; readonly cursor: number; readonly asked: number },
): Promise<{ groups: Group[]; tokens: number; seconds: Collected['seconds'] }> {
  const { config, samples, stageIndex, signal, policy, reward } = context
  const { questionsPerStep, groupSize, rollout } = stage
  const rolling = performance.now()
  const order = config.seed + stageIndex
  const indices = samplesAt(samples.length, cursor + asked, questionsPerStep, order)
  const questions = await prepareBatch(context, indices)
  const seedOf = (question: number): number => mixSeed(config.seed, stageIndex, step, asked + question)
  const greedy = algorithmNamed(stage.algorithm).hasGreedyBaseline === true
  const sampled = await sampleGroups(policy, questions, { ...rollout, groupSize, greedy, seedOf, signal }).catch(
    notFinite(stage, step, questions),
  )
  const rewarding = performance.now()
  const groups: Group[] = []
  for (const [q, prepared] of questions.entries()) {
    const [completions, greedyAnswer] = [sampled.groups[q]!, sampled.greedy[q]]
    const all = greedyAnswer ? [...completions, greedyAnswer] : completions
    const breakdowns = await scored(stage, step, { reward, prepared, completions: all })
    const baseline = greedyAnswer && breakdowns.at(-1)?.score
    groups.push(groupOf(stage, prepared, completions, { breakdowns, baseline }))
  }
  const completions = [...sampled.groups.flat(), ...sampled.greedy]
  return {
    groups,
    tokens: completions.reduce((sum, { tokenIds }) => sum + tokenIds.length, 0),
    seconds: { rollout: (rewarding - rolling) / 1000, reward: secondsSince(rewarding) },
  }
}

function groupOf(
  stage: PolicyStage,
  prepared: PreparedSample,
  completions: readonly Completion[],
  { breakdowns, baseline }: { breakdowns: readonly Breakdown[]; baseline: number | undefined },
): Group {
  const rollouts = completions.map((completion, i): RewardedRollout => {
    const breakdown = breakdowns[i]! // one per completion
    return {
      question: 0,
      prepared,
      completion,
      breakdown,
      reward: breakdown.score - overlongPenalty(stage, completion.tokenIds.length),
      trains: !(stage.maskTruncated && completion.finish === 'length'),
      ...(baseline !== undefined && { baseline }),
    }
  })
  return { rollouts, isConstant: rollouts.every(({ reward }) => reward === rollouts[0]!.reward) }
}

/**
 * DAPO's soft punishment of long answers (Yu et al. 2025, eq. 13): nothing up to `buffer` tokens before the limit, then
 * rising linearly to `penalty` at the limit.
 */
export function overlongPenalty(
  { overlong, rollout: { maxNewTokens } }: Pick<PolicyStage, 'overlong' | 'rollout'>,
  tokens: number,
): number {
  if (!overlong) return 0
  const over = (tokens - (maxNewTokens - overlong.buffer)) / overlong.buffer
  return overlong.penalty * Math.min(Math.max(over, 0), 1)
}

async function scored(
  stage: PolicyStage,
  step: number,
  {
    reward,
    prepared,
    completions,
  }: { reward: RunReward; prepared: PreparedSample; completions: readonly Completion[] },
): Promise<readonly Breakdown[]> {
  const { sample, truth } = prepared
  const rows = completions.map(({ text }) => ({ response: text, truth, sampleId: sample.id }))
  const breakdowns = await scoreAnswers(reward, rows)
  for (const { failures, score } of breakdowns) {
    const [failed] = failures
    if (!failed && Number.isFinite(score)) continue
    const where = `sample ${sample.id}${failed ? `, reward ${failed.reward}: ${failed.error.message}` : ''}`
    throw trainerErrors.NOT_FINITE({ what: 'reward', stage: stage.name, step, where }, { cause: failed?.error })
  }
  return breakdowns
}

function notFinite(stage: PolicyStage, step: number, questions: readonly PreparedSample[]): (cause: unknown) => never {
  return cause => {
    if (!isHintedError(cause) || cause.code !== 'MODEL_LOGITS_NOT_FINITE') throw cause
    const where = `samples ${questions.map(({ sample }) => sample.id).join(', ')}`
    throw trainerErrors.NOT_FINITE({ what: 'answer of the policy', stage: stage.name, step, where }, { cause })
  }
}

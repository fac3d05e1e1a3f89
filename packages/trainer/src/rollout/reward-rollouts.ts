import type { Completion } from '@qoq-med/model'
import type { Breakdown } from '@qoq-med/rewards'
import type { PolicyStage } from '../config/run-config.ts'
import { notFinite } from '../run/at-step.ts'
import type { Question } from '../run/prepared-sample.ts'
import { scoreAnswers, type RunReward } from '../run/run-reward.ts'
import type { RewardedRollout } from './rollout.ts'

/** A question with its answers. */
export interface Answered {
  readonly prepared: Question
  readonly sampled: readonly Completion[]
  /** The most likely answer, where the algorithm compares with it. */
  readonly greedy?: Completion | undefined
}

/** Rewards the answers to a question (3.4). @throws StepFault for a reward that failed or is not finite */
export async function rewardedGroup(
  stage: PolicyStage,
  reward: RunReward,
  { prepared, sampled, greedy }: Answered,
): Promise<RewardedRollout[]> {
  const breakdowns = await scored(reward, prepared, greedy ? [...sampled, greedy] : sampled)
  const baseline = greedy && breakdowns.at(-1)?.score
  return sampled.map((completion, i): RewardedRollout => {
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
  reward: RunReward,
  { sample, truth }: Question,
  completions: readonly Completion[],
): Promise<readonly Breakdown[]> {
  const rows = completions.map(({ text }) => ({ response: text, truth, sampleId: sample.id }))
  const breakdowns = await scoreAnswers(reward, rows)
  for (const { failures, score } of breakdowns) {
    const [failed] = failures
    if (!failed && Number.isFinite(score)) continue
    const part = failed ? `, reward ${failed.reward}: ${failed.error.message}` : ''
    throw notFinite('reward', `sample ${sample.id}${part}`, failed?.error)
  }
  return breakdowns
}

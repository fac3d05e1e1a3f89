import { estimateAdvantages, type AdvantageResult, type RewardBatch } from '@qoq-med/core-drpo'
import { algorithmOf } from '../config/algorithms.ts'
import type { PolicyStage, TrainConfig } from '../config/run-config.ts'
import { trainerErrors } from '../errors.ts'
import { mean } from '../means.ts'
import { stepMetrics, type PolicyMetrics } from '../rollout/policy-metrics.ts'
import type { AdvantagedRollout } from '../rollout/rollout.ts'
import { keptRollouts, rolloutRecords } from '../rollout/rollout-record.ts'
import { stepFingerprints } from '../rollout/step-fingerprints.ts'
import type { Question } from '../run/prepared-sample.ts'
import { scoreAnswers, type RunReward } from '../run/run-reward.ts'
import type { EngineStep } from './step-lines.ts'

/** What the records of a step are made with. */
export interface StepRecordParts {
  readonly config: TrainConfig
  readonly stage: PolicyStage
  readonly reward: RunReward
  /** The questions by line of rows.jsonl. */
  readonly questions: readonly Question[]
}

/** What a run folder gets of an engine's step. */
export interface StepRecords {
  readonly metrics: Readonly<Record<string, unknown>>
  readonly samples: readonly Readonly<Record<string, unknown>>[]
  readonly summary: Pick<PolicyMetrics, 'reward' | 'rewardByDomain'>
}

/** Largest difference between the engine's advantages and ours: both are float64 of the same batch, written as JSON. */
const tolerance = 1e-9

/**
 * Makes of an engine's step what a step of our own writes. Advantages are estimated again for their explanation, and rewards
 * of the kept answers for their parts: both must be what the engine trained with.
 *
 * @throws TRAINER_ENGINE_DIFFERS
 */
export async function stepRecords(step: EngineStep, parts: StepRecordParts): Promise<StepRecords> {
  const { config, stage } = parts
  const result = estimateAdvantages(algorithmOf(stage).estimator, stepBatch(step, parts), stage.advantage)
  requireEqual(step, result)
  const rollouts = await advantagedRollouts(step, parts)
  const metrics = engineMetrics(step, rollouts, result)
  return {
    metrics: { ...metrics, klCoefficient: stage.klCoefficient },
    samples: rolloutRecords(keptRollouts(rollouts, config.keptRollouts), result),
    summary: { reward: metrics.reward, rewardByDomain: metrics.rewardByDomain },
  }
}

/** What the engine asked the advantages of. */
function stepBatch({ rollouts }: EngineStep, { stage, questions }: StepRecordParts): RewardBatch {
  const kl = rollouts.flatMap(rollout => rollout.kl ?? [])
  return {
    rewards: rollouts.map(({ reward }) => reward),
    questionIds: rollouts.map(({ row }) => row),
    domains: rollouts.map(({ row }) => questionAt(questions, row).sample[stage.groupBy]),
    lengths: rollouts.map(({ tokens }) => tokens),
    ...(algorithmOf(stage).readsKl && { kl }),
  }
}

function requireEqual({ step, rollouts }: EngineStep, { advantages }: AdvantageResult): void {
  for (const [i, { advantage }] of rollouts.entries()) {
    const own = advantages[i]
    if (typeof own === 'number' && Math.abs(own - advantage) <= tolerance * Math.max(1, Math.abs(own))) continue
    throw trainerErrors.ENGINE_DIFFERS({ step, what: 'advantage', rollout: i })
  }
}

async function advantagedRollouts(
  { step, rollouts }: EngineStep,
  { config, reward, questions }: StepRecordParts,
): Promise<AdvantagedRollout[]> {
  const order = [...new Set(rollouts.map(({ row }) => row))]
  const kept = rollouts.filter(({ response }) => response !== undefined).slice(0, config.keptRollouts)
  const scored = await scoreAnswers(
    reward,
    kept.map(({ row, response = '' }) => {
      const { sample, truth } = questionAt(questions, row)
      return { response, truth, sampleId: sample.id }
    }),
  )
  return rollouts.map((rollout, i): AdvantagedRollout => {
    const own = scored[kept.indexOf(rollout)]
    if (own && Math.abs(own.score - rollout.reward) > tolerance)
      throw trainerErrors.ENGINE_DIFFERS({ step, what: 'reward', rollout: i })
    return {
      question: order.indexOf(rollout.row),
      prepared: questionAt(questions, rollout.row),
      completion: {
        text: rollout.response ?? '',
        finish: rollout.finish,
        tokenIds: new Int32Array(rollout.tokens),
        logprobs: new Float32Array(),
      },
      breakdown: own ?? {
        score: rollout.reward,
        parts: rollout.parts,
        weights: {},
        skipped: {},
        detail: {},
        failures: [],
      },
      reward: rollout.reward,
      trains: true,
      refLogprobs: new Float32Array(),
      advantage: rollout.advantage,
    }
  })
}

function questionAt(questions: readonly Question[], row: number): Question {
  const question = questions[row]
  if (question === undefined) throw trainerErrors.ENGINE_DIFFERS({ step: 0, what: 'question', rollout: row })
  return question
}

function engineMetrics(
  { seconds, times, updates, updateCount = updates.length, rollouts: said }: EngineStep,
  rollouts: readonly AdvantagedRollout[],
  result: AdvantageResult,
): PolicyMetrics {
  const tokens = said.reduce((sum, one) => sum + one.tokens, 0)
  const { rollout = seconds, reward = 0, score = 0, advantage = 0, update = 0 } = times
  const collected = { rounds: 1, asked: new Set(said.map(({ row }) => row)).size, sampledTokens: tokens }
  const {
    unparseable,
    kl: _,
    ...metrics
  } = stepMetrics(rollouts, result, {
    times: { rollout, reward, score, advantage, update },
    collected: collected as never, // its three numbers are all that is read
  })
  return {
    ...metrics,
    kl: said.reduce((sum, one) => sum + (one.kl ?? 0), 0) / Math.max(tokens, 1),
    unparseable: said.every(({ response }) => response !== undefined) ? unparseable : Number.NaN,
    ...updateMetrics(updates),
    updates: updateCount,
    fingerprints: stepFingerprints(
      said.map(one => one.reward),
      result.advantages,
    ),
  } as PolicyMetrics
}

/** Means over the updates of a step; the learning rate is the last one's. */
function updateMetrics(updates: EngineStep['updates']): Readonly<Record<string, number>> {
  const names = ['loss', 'gradientNorm', 'entropy', 'clipFraction', 'klPenalty'] as const
  const means = names.flatMap(name => {
    const values = updates.flatMap(update => update[name] ?? [])
    return values.length > 0 ? [[name, mean(values)] as const] : []
  })
  const rate = updates.at(-1)?.learningRate
  return { ...Object.fromEntries(means), ...(typeof rate === 'number' && { learningRate: rate }) }
}

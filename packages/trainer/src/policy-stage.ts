import { responseKl } from '@qoq-med/core-drpo'
import { isHintedError } from '@qoq-med/errors'
import { LocalPolicy, type Policy } from '@qoq-med/model'
import type { Breakdown, CompositeReward } from '@qoq-med/rewards'
import { stageAdvantages } from './advantages.ts'
import type { PolicyStage } from './config.ts'
import { trainerErrors } from './errors.ts'
import type { CompletionScores } from './learner.ts'
import { stepMetrics, type StepSeconds } from './policy-metrics.ts'
import { updatePolicy } from './policy-update.ts'
import { runReward } from './run-reward.ts'
import { sampleRollouts, sequenceOf, type Rollout, type ScoredRollouts } from './rollouts.ts'
import { mixSeed, samplesAt } from './sample-order.ts'
import { chunks, secondsSince, type StageContext } from './stage-context.ts'
import { stageSchedule } from './stage-schedule.ts'

/**
 * Reinforcement learning (section 3.3): sample groups, reward, score under policy and reference, estimate advantages, and
 * take clipped steps.
 *
 * @param referenceWeights the frozen reference policy: the weights with which the stage began
 * @throws TRAINER_NOT_FINITE when a reward, log-probability, loss or gradient is not finite and the stage says `stop`
 */
export async function runPolicyStage(
  stage: PolicyStage,
  context: StageContext,
  referenceWeights: (name: string) => Float32Array,
): Promise<void> {
  const { config, stageIndex, run, start, signal, model, executor, weights } = context
  const policy = new LocalPolicy({ model, executor, weights })
  const reward = runReward(config.rewards)
  const rate = stageSchedule(stage)
  let position = start
  try {
    for (let step = start.step + 1; step <= stage.steps; step++) {
      signal?.throwIfAborted()
      const began = performance.now()
      const header = { stage: stage.name, stageIndex, algorithm: stage.algorithm, step }
      const collected = await collect(stage, context, { policy, reward, referenceWeights, step }).catch(skipIn(stage))
      if (collected === undefined) {
        position = { ...position, step }
        await run.metric({ ...header, skipped: true, seconds: secondsSince(began) })
        context.onStep?.({ ...header, steps: stage.steps, seconds: secondsSince(began) })
        await context.finishStep(position, 'skipped')
        continue
      }
      const { scored, seconds } = collected
      const estimated = performance.now()
      const result = stageAdvantages(stage, rewardBatch(scored, stage), position.advantageState)
      const advantageSeconds = secondsSince(estimated)
      const updating = performance.now()
      const update = await updatePolicy(stage, context, { scored, result, step, learningRate: rate(step) })
      const times: StepSeconds = { ...seconds, advantage: advantageSeconds, update: secondsSince(updating) }
      const metrics = stepMetrics(scored, result, times)
      const total = secondsSince(began)
      await run.metric({ ...header, ...metrics, ...update, seconds: total })
      await recordSamples(context, header, scored, result.advantages)
      position = { stageIndex, step, advantageState: result.state }
      context.onStep?.({ ...header, steps: stage.steps, reward: metrics.reward, seconds: total })
      await context.finishStep(position, update.updates === 0 ? 'skipped' : 'done')
    }
  } finally {
    await policy.close()
  }
}

/** Leaves a step out for a value that is not finite, where the stage says so. */
function skipIn(stage: PolicyStage): (error: unknown) => undefined {
  return error => {
    if (stage.onNotFinite === 'skip' && isHintedError(error) && error.code === 'TRAINER_NOT_FINITE') return undefined
    throw error
  }
}

interface Collection {
  readonly policy: Policy
  readonly reward: CompositeReward
  readonly referenceWeights: (name: string) => Float32Array
  readonly step: number
}

async function collect(
  stage: PolicyStage,
  context: StageContext,
  { policy, reward, referenceWeights, step }: Collection,
): Promise<{ scored: ScoredRollouts; seconds: Pick<StepSeconds, 'rollout' | 'reward' | 'score'> }> {
  const { config, samples, stageIndex, signal, prepare } = context
  const { questionsPerStep, groupSize, rollout } = stage
  const rolling = performance.now()
  const indices = samplesAt(samples.length, (step - 1) * questionsPerStep, questionsPerStep, config.seed + stageIndex)
  const questions = await Promise.all(indices.map(index => prepare(samples[index]!)))
  const seedOf = (question: number): number => mixSeed(config.seed, stageIndex, step, question)
  const rollouts = await sampleRollouts(policy, questions, { ...rollout, groupSize, seedOf, signal }).catch(
    (cause: unknown) => {
      if (!isHintedError(cause) || cause.code !== 'MODEL_LOGITS_NOT_FINITE') throw cause
      const where = `samples ${questions.map(({ sample }) => sample.id).join(', ')}`
      throw trainerErrors.NOT_FINITE({ what: 'answer of the policy', stage: stage.name, step, where }, { cause })
    },
  )
  const rewarding = performance.now()
  const rewards = rollouts.map(({ completion, prepared }) =>
    reward(completion.text, prepared.truth, prepared.sample.id),
  )
  checkRewards(stage, step, rollouts, rewards)
  const scoring = performance.now()
  const policyScores = await scoreRollouts(stage, context, rollouts)
  checkLogprobs(
    stage,
    step,
    rollouts,
    policyScores.map(({ logprobs }) => logprobs),
  )
  const needsReference = stage.klCoefficient > 0 || stage.algorithm.startsWith('drpo')
  const reference = needsReference
    ? (await scoreRollouts(stage, context, rollouts, referenceWeights)).map(scores => scores.logprobs)
    : policyScores.map(scores => scores.logprobs)
  if (needsReference) checkLogprobs(stage, step, rollouts, reference)
  return {
    scored: { rollouts, rewards, policy: policyScores, reference },
    seconds: {
      rollout: (rewarding - rolling) / 1000,
      reward: (scoring - rewarding) / 1000,
      score: secondsSince(scoring),
    },
  }
}

function checkRewards(
  stage: PolicyStage,
  step: number,
  rollouts: readonly Rollout[],
  rewards: readonly Breakdown[],
): void {
  const at = rewards.findIndex(({ failures, score }) => failures.length > 0 || !Number.isFinite(score))
  if (at < 0) return
  const failed = rewards[at]!.failures[0]
  const where = `sample ${rollouts[at]!.prepared.sample.id}${failed ? `, reward ${failed.reward}` : ''}`
  throw trainerErrors.NOT_FINITE({ what: 'reward', stage: stage.name, step, where })
}

function checkLogprobs(
  stage: PolicyStage,
  step: number,
  rollouts: readonly Rollout[],
  logprobs: readonly Float32Array[],
): void {
  const at = logprobs.findIndex(values => !values.every(Number.isFinite))
  if (at < 0) return
  const where = `sample ${rollouts[at]!.prepared.sample.id}`
  throw trainerErrors.NOT_FINITE({ what: 'log-probability', stage: stage.name, step, where })
}

async function scoreRollouts(
  stage: PolicyStage,
  { learner }: StageContext,
  rollouts: readonly Rollout[],
  weights?: (name: string) => Float32Array,
): Promise<CompletionScores[]> {
  const scores: CompletionScores[] = []
  for (const part of chunks(rollouts, stage.microbatchSize))
    scores.push(...(await learner.score(part.map(sequenceOf), weights)))
  return scores
}

function rewardBatch({ rollouts, rewards, policy, reference }: ScoredRollouts, stage: PolicyStage) {
  return {
    rewards: rewards.map(({ score }) => score),
    questionIds: rollouts.map(({ question }) => question),
    domains: rollouts.map(({ prepared }) => prepared.sample.domain),
    lengths: rollouts.map(({ completion }) => completion.tokenIds.length),
    ...(stage.algorithm.startsWith('drpo') && {
      kl: responseKl(
        policy.map(({ logprobs }) => logprobs),
        reference,
      ),
    }),
  }
}

/** Keeps the first group of every step: enough to read what the policy writes, small enough for long runs. */
async function recordSamples(
  { run }: StageContext,
  header: Readonly<Record<string, unknown>>,
  { rollouts, rewards }: ScoredRollouts,
  advantages: Float64Array | readonly Float64Array[],
): Promise<void> {
  for (const [i, { question, prepared, completion }] of rollouts.entries()) {
    if (question > 0) return
    const { score, parts } = rewards[i]!
    const advantage = advantages[i]
    const sample = { id: prepared.sample.id, domain: prepared.sample.domain, answer: prepared.sample.answer }
    await run.sample({
      ...header,
      ...sample,
      response: completion.text,
      finish: completion.finish,
      reward: score,
      parts,
      advantage,
    })
  }
}

import { updateKlController, type KlController } from '@qoq-med/core-drpo'
import { stageAdvantages } from '../rollout/advantages.ts'
import { algorithmNamed } from '../config/algorithms.ts'
import { collectRollouts, type Collected } from '../rollout/collect-rollouts.ts'
import type { PolicyStage } from '../config/run-config.ts'
import type { RunPosition } from '../run/run-position.ts'
import { isLeftOut } from './not-finite.ts'
import { stepMetrics, type StepSeconds } from '../rollout/policy-metrics.ts'
import { updatePolicy } from '../rollout/policy-update.ts'
import { rewardBatch } from '../rollout/reward-batch.ts'
import { rolloutRecords } from '../rollout/rollout-record.ts'
import type { ScoredRollouts } from '../rollout/rollouts.ts'
import { scoreRollouts, type Scorers } from '../rollout/score-rollouts.ts'
import { secondsSince, type StageContext } from './stage-context.ts'
import { stageSchedule } from '../config/stage-schedule.ts'
import { stepFingerprints } from '../rollout/step-fingerprints.ts'

/** Tells whether a stage compares with the policy that it began with. */
export function needsReference({ algorithm, klCoefficient, adaptiveKl }: PolicyStage): boolean {
  return klCoefficient > 0 || adaptiveKl !== undefined || algorithmNamed(algorithm).readsKl === true
}

/**
 * Reinforcement learning (section 3.3): sample groups, reward, score under reference and critic, estimate advantages, and
 * take clipped steps.
 *
 * @throws TRAINER_NOT_FINITE when a reward, log-probability, loss or gradient is not finite and the stage says `stop`
 * @throws TRAINER_LOGPROB_GAP when sampler and trainer disagree by more than the stage allows
 */
export async function runPolicyStage(stage: PolicyStage, context: StageContext, scorers: Scorers): Promise<void> {
  let position = context.start
  while (position.step < stage.steps && !position.isFinished) {
    context.signal?.throwIfAborted()
    const outcome = await policyStep(stage, context, { scorers, position })
    position = await context.finishStep(outcome.position, outcome.isSkipped ? 'skipped' : 'done')
  }
}

interface StepInput {
  readonly scorers: Scorers
  readonly position: RunPosition
}

async function policyStep(
  stage: PolicyStage,
  context: StageContext,
  { scorers, position }: StepInput,
): Promise<{ position: RunPosition; isSkipped: boolean }> {
  const { stageIndex, run } = context
  const step = position.step + 1
  const began = performance.now()
  const header = { stage: stage.name, stageIndex, algorithm: stage.algorithm, step }
  const cursor = position.cursor ?? 0
  const done = await collectAndScore(stage, context, { scorers, step, cursor }).catch(skipIn(stage))
  if (done === undefined) {
    const seconds = secondsSince(began)
    await run.metric({ ...header, skipped: true, seconds })
    await context.onStep?.({ ...header, steps: stage.steps, seconds })
    return { position: { ...position, step, cursor: cursor + stage.questionsPerStep }, isSkipped: true }
  }
  const { collected, scored } = done
  const controller = klController(stage, position)
  const estimating = performance.now()
  const batch = rewardBatch(scored, stage, controller.coefficient)
  const result = stageAdvantages(stage, batch, position.advantageState)
  const updating = performance.now()
  const learningRate = stageSchedule(stage)(step)
  const { report: update, first } = await updatePolicy(stage, context, {
    scored,
    result,
    step,
    learningRate,
    critic: scorers.critic,
    klCoefficient: controller.coefficient,
  })
  const times: StepSeconds = {
    ...collected.seconds,
    score: done.scoreSeconds,
    advantage: (updating - estimating) / 1000,
    update: secondsSince(updating),
  }
  const metrics = stepMetrics(scored, result, { times, collected, first })
  const seconds = secondsSince(began)
  const fingerprints = stepFingerprints(batch.rewards, result.advantages)
  await run.metric({ ...header, ...metrics, klCoefficient: controller.coefficient, ...update, fingerprints, seconds })
  for (const record of rolloutRecords(header, scored, result, context.config.keptRollouts)) await run.sample(record)
  const warning = first && first.logprobGap > stage.logprobGap.warn ? { logprobGap: first.logprobGap } : {}
  await context.onStep?.({
    ...header,
    steps: stage.steps,
    reward: metrics.reward,
    rewardByDomain: metrics.rewardByDomain,
    seconds,
    ...warning,
  })
  const next: RunPosition = {
    stageIndex,
    step,
    cursor: collected.cursor,
    advantageState: result.state,
    ...(stage.adaptiveKl && {
      klCoefficient: updateKlController(controller, metrics.kl, scored.rollouts.length).coefficient,
    }),
    ...(position.best && { best: position.best }),
  }
  return { position: next, isSkipped: update.updates === 0 }
}

/** β of a step: fixed, or where the adaptive one stands. */
function klController({ klCoefficient, adaptiveKl }: PolicyStage, position: RunPosition): KlController {
  if (!adaptiveKl) return { type: 'fixed', coefficient: klCoefficient }
  return { type: 'adaptive', coefficient: position.klCoefficient ?? klCoefficient, ...adaptiveKl }
}

/** Leaves a step out for a value that is not finite, where the stage says so. */
function skipIn(stage: PolicyStage): (error: unknown) => undefined {
  return error => {
    if (!isLeftOut(stage, error)) throw error
    return undefined
  }
}

async function collectAndScore(
  stage: PolicyStage,
  context: StageContext,
  { scorers, step, cursor }: Pick<StepInput, 'scorers'> & { step: number; cursor: number },
): Promise<{ collected: Collected; scored: ScoredRollouts; scoreSeconds: number }> {
  const collected = await collectRollouts(stage, context, { step, cursor })
  const scoring = performance.now()
  const scored = await scoreRollouts(stage, context, scorers, { rollouts: collected.rollouts, step })
  return { collected, scored, scoreSeconds: secondsSince(scoring) }
}

import { updateKlController, type AdvantageResult, type KlController, type RewardBatch } from '@qoq-med/core-drpo'
import type { PolicyStage } from '../config/run-config.ts'
import { stageSchedule } from '../config/stage-schedule.ts'
import { keepPictures } from '../report/keep-picture.ts'
import { stageAdvantages, withAdvantages } from '../rollout/advantages.ts'
import { collectRollouts, type Collected } from '../rollout/collect-rollouts.ts'
import { stepMetrics, type PolicyMetrics, type StepSeconds } from '../rollout/policy-metrics.ts'
import type { PolicyParts } from '../rollout/policy-parts.ts'
import { rewardBatch } from '../rollout/reward-batch.ts'
import type { AdvantagedRollout } from '../rollout/rollout.ts'
import { keptRollouts, rolloutRecords } from '../rollout/rollout-record.ts'
import { scoreRollouts } from '../rollout/score-rollouts.ts'
import { stepFingerprints } from '../rollout/step-fingerprints.ts'
import { stepHazards, type Hazard } from '../rollout/step-hazards.ts'
import { updatePolicy, type PolicyUpdate } from '../rollout/update-policy.ts'
import type { Run, StepProgress } from '../run/run.ts'
import type { RunPosition } from '../run/run-position.ts'
import { secondsSince } from '../seconds-since.ts'
import type { StepOutcome } from './stage-kind.ts'

/** What a step works with, and the hazards that the stage has warned of. */
export interface StepParts extends PolicyParts {
  readonly warned: Set<string>
}

/** What one step made, on its way. */
interface MadeStep {
  readonly collected: Collected
  readonly batch: RewardBatch
  readonly result: AdvantageResult
  readonly rollouts: readonly AdvantagedRollout[]
  readonly update: PolicyUpdate
  readonly times: StepSeconds
}

/**
 * One step of reinforcement learning (section 3.3):
 *
 *     questions ─ sample ─> groups of G rollouts, log π_old          3.3
 *               ─ reward ─> r = Σ w_k r_k                            3.4
 *               ─ score ──> log π_ref, values of a critic
 *               ─ advantage ─> A, T(g,t), T(c,g,t), m, Â             eqs. 1-5
 *               ─ update ─> minibatches of the clipped objective − β KL, AdamW
 *
 * @throws StepFault when a reward, log-probability, loss or gradient is not finite, or sampler and trainer disagree
 */
export async function policyStep(parts: StepParts, position: RunPosition): Promise<StepOutcome> {
  const { run, stage } = parts
  const step = position.step + 1
  const controller = klController(stage, position)
  const made = await makeStep(parts, position, controller.coefficient)
  const { collected, batch, result, rollouts, update, times } = made
  const metrics = stepMetrics(rollouts, result, { times, collected, first: update.first })
  const { coefficient: klCoefficient } = controller
  const fingerprints = stepFingerprints(batch.rewards, result.advantages)
  const next = updateKlController(controller, metrics.kl, rollouts.length).coefficient
  return {
    position: {
      stageIndex: parts.stageIndex,
      step,
      cursor: collected.cursor,
      advantageState: result.state,
      ...(stage.adaptiveKl && { klCoefficient: next }),
      ...(position.best && { best: position.best }),
    },
    metrics: { ...metrics, klCoefficient, ...update.report, fingerprints },
    samples: await keptRecords(run, rollouts, result),
    progress: stepProgress(parts, metrics),
    isSkipped: update.report.updates === 0,
  }
}

async function makeStep(parts: StepParts, position: RunPosition, klCoefficient: number): Promise<MadeStep> {
  const { stage } = parts
  const step = position.step + 1
  const collected = await collectRollouts(parts, { step, cursor: position.cursor ?? 0 })
  const scoring = performance.now()
  const scored = await scoreRollouts(parts, collected.rollouts)
  const estimating = performance.now()
  const batch = rewardBatch(scored, stage, klCoefficient)
  const result = stageAdvantages(stage, batch, position.advantageState)
  const rollouts = withAdvantages(scored, result)
  const updating = performance.now()
  const learningRate = stageSchedule(stage)(step)
  const update = await updatePolicy(parts, { rollouts, step, learningRate, klCoefficient })
  const times = {
    ...collected.seconds,
    score: (estimating - scoring) / 1000,
    advantage: (updating - estimating) / 1000,
    update: secondsSince(updating),
  }
  return { collected, batch, result, rollouts, update, times }
}

/** What samples.jsonl gets of a step, with pictures where the run keeps some. */
async function keptRecords({ config, folder }: Run, rollouts: readonly AdvantagedRollout[], result: AdvantageResult) {
  const kept = keptRollouts(rollouts, config.keptRollouts)
  const samples = kept.map(({ prepared }) => prepared.sample)
  const pictures = config.keptPictures ? await keepPictures(folder.path, samples) : undefined
  return rolloutRecords(kept, result, pictures)
}

function stepProgress({ stage, warned }: StepParts, metrics: PolicyMetrics): Partial<StepProgress> {
  const { reward, rewardByDomain, logprobGap = 0 } = metrics
  return {
    reward,
    rewardByDomain,
    ...(logprobGap > stage.logprobGap.warn && { logprobGap }),
    ...freshWarnings(warned, stepHazards({ ...metrics })),
  }
}

/** A hazard is said the first time that a stage meets it. */
function freshWarnings(warned: Set<string>, hazards: readonly Hazard[]): Pick<StepProgress, 'warnings'> {
  const fresh = hazards.filter(({ metric }) => !warned.has(metric))
  for (const { metric } of fresh) warned.add(metric)
  return fresh.length > 0 ? { warnings: fresh.map(({ warning }) => warning) } : {}
}

/** β of a step: fixed, or where the adaptive one stands. */
function klController({ klCoefficient, adaptiveKl }: PolicyStage, position: RunPosition): KlController {
  if (!adaptiveKl) return { type: 'fixed', coefficient: klCoefficient }
  return { type: 'adaptive', coefficient: position.klCoefficient ?? klCoefficient, ...adaptiveKl }
}

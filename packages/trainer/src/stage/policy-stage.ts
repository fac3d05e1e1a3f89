import { join } from 'node:path'
import { updateKlController, type KlController } from '@qoq-med/core-drpo'
import { loadAdapter, loadFrozenModel } from '@qoq-med/model'
import { algorithmOf } from '../config/algorithms.ts'
import type { PolicyStage } from '../config/run-config.ts'
import { isTrainable, stageSchedule } from '../config/stage-schedule.ts'
import { createLearner, type Learner } from '../learn/learner.ts'
import { createCriticStore } from '../learn/value-objective.ts'
import { stageAdvantages, withAdvantages } from '../rollout/advantages.ts'
import { collectRollouts } from '../rollout/collect-rollouts.ts'
import { stepMetrics } from '../rollout/policy-metrics.ts'
import { stepHazards, type Hazard } from '../rollout/step-hazards.ts'
import type { PolicyParts } from '../rollout/policy-parts.ts'
import { keepPictures } from '../report/keep-picture.ts'
import { rewardBatch } from '../rollout/reward-batch.ts'
import { keptRollouts, rolloutRecords } from '../rollout/rollout-record.ts'
import { scoreRollouts } from '../rollout/score-rollouts.ts'
import { stepFingerprints } from '../rollout/step-fingerprints.ts'
import { updatePolicy } from '../rollout/update-policy.ts'
import { adapterFolder, checkpointName, loadCritic } from '../run/checkpoint.ts'
import type { Run, StepProgress } from '../run/run.ts'
import type { RunPosition } from '../run/run-position.ts'
import { stageWeights } from '../run/stage-weights.ts'
import type { WeightLookup } from '../run/trained-weights.ts'
import { stageSamples } from '../run/training-data.ts'
import { secondsSince } from '../seconds-since.ts'
import { needsReference } from './needs-reference.ts'
import type { StageKind, StageStart, StageWork, StepOutcome } from './stage-kind.ts'
import { policyNeeds } from './stage-needs.ts'
import { checkTuned, startTuned } from './tuned-parts.ts'
import { validateAnswers } from './validate-answers.ts'

/**
 * Reinforcement learning (section 3.3). One step:
 *
 *     questions ─ sample ─> groups of G rollouts, log π_old          3.3
 *               ─ reward ─> r = Σ w_k r_k                            3.4
 *               ─ score ──> log π_ref, values of a critic
 *               ─ advantage ─> A, T(g,t), T(c,g,t), m, Â             eqs. 1-5
 *               ─ update ─> minibatches of the clipped objective − β KL, AdamW
 */
export const policyKind: StageKind<PolicyStage> = { check: checkTuned, needs: policyNeeds, start: startPolicy }

async function startPolicy(run: Run, start: StageStart<PolicyStage>): Promise<StageWork> {
  const { stage, stageIndex } = start
  const tuned = await startTuned(run, start, stage.rollout.temperature)
  const { trained, learner, policy } = tuned
  const critic = await startCritic(run, start, trained.weights)
  const samples = stageSamples(stage, run.data.samples)
  let referenceWeights: WeightLookup | undefined
  const warned = new Set<string>()
  return {
    trained,
    begin: async () => {
      if (needsReference(stage)) referenceWeights = await startWeights(run, stageIndex)
    },
    step: position =>
      policyStep({ run, stage, stageIndex, samples, ...tuned, critic, referenceWeights, warned }, position),
    skip: position => ({
      ...position,
      step: position.step + 1,
      cursor: (position.cursor ?? 0) + stage.questionsPerStep,
    }),
    validate: () => validateAnswers(run, stage, { policy, maxNewTokens: stage.rollout.maxNewTokens }),
    content: () => ({
      optimizer: learner.optimizerState(),
      ...(critic && { critic: { store: critic.store, optimizer: critic.optimizerState() } }),
    }),
    weightsAt: resumed => stageWeights({ ...run, ...start, resumed }),
    close: async () => void (await Promise.all([learner.close(), critic?.close(), policy.close()])),
  }
}

/** The critic of a stage, which begins as a copy of its policy. */
async function startCritic(
  { config, executor, model, debug }: Run,
  { stage, resumed }: StageStart<PolicyStage>,
  weights: WeightLookup,
): Promise<Learner | undefined> {
  if (!algorithmOf(stage).hasCritic) return undefined
  const { weightDecay, maxGradientNorm } = stage
  const store = createCriticStore(model, weights, name => isTrainable(stage, name))
  const critic = createLearner(executor, store, { weightDecay, maxGradientNorm, memory: config.memory, debug })
  if (resumed) critic.restoreOptimizer(await loadCritic(resumed, store))
  return critic
}

/** The frozen reference policy of a stage: the weights of its first checkpoint, so that a resumed run has the same. */
async function startWeights({ folder, base, model }: Run, stageIndex: number): Promise<WeightLookup> {
  const position = { stageIndex, step: 0 }
  const first = join(folder.path, 'checkpoints', checkpointName(position))
  if (base) return (await loadAdapter(adapterFolder({ folder: first, position }), model)).weights
  return (await loadFrozenModel(join(first, 'model'))).weights
}

/** What a step works with, and the hazards that the stage has warned of. */
interface StepParts extends PolicyParts {
  readonly warned: Set<string>
}

async function policyStep(parts: StepParts, position: RunPosition): Promise<StepOutcome> {
  const { run, stage } = parts
  const step = position.step + 1
  const controller = klController(stage, position)
  const klCoefficient = controller.coefficient

  const collected = await collectRollouts(parts, { step, cursor: position.cursor ?? 0 })
  const scoring = performance.now()
  const scored = await scoreRollouts(parts, collected.rollouts)
  const estimating = performance.now()
  const batch = rewardBatch(scored, stage, klCoefficient)
  const result = stageAdvantages(stage, batch, position.advantageState)
  const rollouts = withAdvantages(scored, result)
  const updating = performance.now()
  const learningRate = stageSchedule(stage)(step)
  const { report, first } = await updatePolicy(parts, { rollouts, step, learningRate, klCoefficient })

  const times = {
    ...collected.seconds,
    score: (estimating - scoring) / 1000,
    advantage: (updating - estimating) / 1000,
    update: secondsSince(updating),
  }
  const metrics = stepMetrics(rollouts, result, { times, collected, first })
  const fingerprints = stepFingerprints(batch.rewards, result.advantages)
  const { reward, rewardByDomain } = metrics
  const kept = keptRollouts(rollouts, run.config.keptRollouts)
  const pictures = run.config.keptPictures
    ? await keepPictures(
        run.folder.path,
        kept.map(({ prepared }) => prepared.sample),
      )
    : undefined
  return {
    position: {
      stageIndex: parts.stageIndex,
      step,
      cursor: collected.cursor,
      advantageState: result.state,
      ...(stage.adaptiveKl && {
        klCoefficient: updateKlController(controller, metrics.kl, rollouts.length).coefficient,
      }),
      ...(position.best && { best: position.best }),
    },
    metrics: { ...metrics, klCoefficient, ...report, fingerprints },
    samples: rolloutRecords(kept, result, pictures),
    progress: {
      reward,
      rewardByDomain,
      ...(first && first.logprobGap > stage.logprobGap.warn && { logprobGap: first.logprobGap }),
      ...freshWarnings(parts.warned, stepHazards({ ...metrics })),
    },
    isSkipped: report.updates === 0,
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

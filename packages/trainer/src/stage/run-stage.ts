import { join } from 'node:path'
import { LocalPolicy, loadFrozenModel } from '@qoq-med/model'
import { algorithmNamed } from '../config/algorithms.ts'
import { checkpointName } from '../run/checkpoint.ts'
import { isTuned, type PolicyStage } from '../config/run-config.ts'
import { createCritic, createCriticStore, type Critic } from '../learn/critic.ts'
import { runEcgPretrainStage } from './ecg-pretrain-stage.ts'
import { trainerErrors } from '../errors.ts'
import { createLearner, type LearnerModel } from '../learn/learner.ts'
import { needsReference, runPolicyStage } from './policy-stage.ts'
import type { RunFolder } from '../run/run-folder.ts'
import type { RunPosition } from '../run/run-position.ts'
import { runSftStage } from './sft-stage.ts'
import { StageProgress } from './stage-progress.ts'
import type { StageRun, TunedRun } from './stage-run.ts'
import { isTrainable } from '../config/stage-schedule.ts'
import { stageWeights, type StageWeights, type WeightLookup } from '../run/stage-weights.ts'
import { stageSamples } from '../run/training-data.ts'

/** Runs one stage of any kind. @returns the weights the stage leaves */
export function runStage(running: StageRun, stageIndex: number, before: WeightLookup): Promise<StageWeights> {
  const { config, data, model, run, leftOut, executor, signal, onStep } = running
  const stage = config.stages[stageIndex]!
  const resumed = running.checkpoint?.position.stageIndex === stageIndex ? running.checkpoint : undefined
  if (isTuned(stage)) return runTunedStage(running, { stage, stageIndex, before, resumed })
  const samples = stageSamples(stage, data.samples)
  const shared = { config, stageIndex, model, executor, run, leftOut, samples, before, resumed, signal, onStep }
  return runEcgPretrainStage(stage, { ...shared, keptCheckpoints: config.keep })
}

/**
 * Runs one stage: a fresh optimizer on the weights that the stage before left, its steps, validations and checkpoints.
 *
 * @returns the weights the stage leaves: its last, or its best where it validates
 */
async function runTunedStage(running: StageRun, tuned: TunedRun): Promise<StageWeights> {
  const { config, model, executor } = running
  const { stage, resumed } = tuned
  const trained = await stageWeights({ config, model, ...tuned })
  const { adaptation, weights } = trained
  const parts: LearnerModel = { decoder: model.config.decoder, encoders: model.encoders }
  const learner = createLearner(executor, parts, trained.store, {
    adaptation,
    debug: running.debug,
    memory: config.memory,
    weightDecay: stage.weightDecay,
    maxGradientNorm: stage.maxGradientNorm,
    temperature: stage.algorithm === 'sft' ? 1 : stage.rollout.temperature,
  })
  const critic = stage.algorithm === 'sft' ? undefined : stageCritic(stage, running, parts, weights)
  const policy = new LocalPolicy({ model, executor, weights, weightsVersion: () => learner.updates })
  const progress = new StageProgress(running, tuned, { learner, critic, policy, trained, resumed })
  try {
    const last = await runSteps(running, tuned, progress, critic)
    return await bestWeights(running, tuned, last, trained)
  } finally {
    await Promise.all([learner.close(), critic?.close(), policy.close()])
  }
}

/** Runs the steps that are left; an interrupted run is saved after its last finished step. */
async function runSteps(
  running: StageRun,
  { stage, stageIndex }: TunedRun,
  progress: StageProgress,
  critic: Critic | undefined,
): Promise<RunPosition> {
  const { signal, run } = running
  try {
    await progress.begin()
    if (stage.algorithm === 'sft') await runSftStage(stage, progress.context())
    else {
      const referenceWeights = needsReference(stage) ? await startWeights(run, stageIndex) : undefined
      await runPolicyStage(stage, progress.context(), { referenceWeights, critic })
    }
    return progress.done
  } catch (error) {
    if (!signal?.aborted || error !== signal.reason) throw error
    // Nothing of an interrupted step has reached the weights: they are those of the last finished one.
    await progress.save()
    throw trainerErrors.ABORTED({ step: progress.done.step, stage: stage.name, folder: run.path }, { cause: error })
  }
}

/** Where a stage validates, its best weights go on, not its last. */
async function bestWeights(
  { config, model, run }: StageRun,
  { stage, stageIndex }: TunedRun,
  { best, step }: RunPosition,
  trained: StageWeights,
): Promise<StageWeights> {
  if (!best || best.step === step) return trained
  const position = { stageIndex, step: best.step }
  const resumed = { folder: join(run.path, 'checkpoints', checkpointName(position)), position }
  return stageWeights({ config, stage, stageIndex, model, before: trained.weights, resumed })
}

/** The critic of a stage, which begins as a copy of its policy. */
function stageCritic(
  stage: PolicyStage,
  { executor, model }: StageRun,
  parts: LearnerModel,
  weights: WeightLookup,
): Critic | undefined {
  if (!algorithmNamed(stage.algorithm).hasCritic) return undefined
  const { weightDecay, maxGradientNorm } = stage
  const store = createCriticStore(model, weights, name => isTrainable(stage, name))
  return createCritic(executor, parts, store, { weightDecay, maxGradientNorm })
}

/** The frozen reference policy of a stage: the weights of its first checkpoint, so that a resumed run has the same. */
async function startWeights(run: RunFolder, stageIndex: number): Promise<WeightLookup> {
  const folder = join(run.path, 'checkpoints', checkpointName({ stageIndex, step: 0 }), 'model')
  return (await loadFrozenModel(folder)).weights
}

import { join } from 'node:path'
import { LocalPolicy, loadFrozenModel, type Policy, type PolicyModel } from '@qoq-med/model'
import type { CompositeReward } from '@qoq-med/rewards'
import type { Executor } from '@qoq-med/tensor'
import { algorithmNamed } from './algorithms.ts'
import {
  checkpointName,
  loadCritic,
  loadOptimizer,
  pruneCheckpoints,
  saveCheckpoint,
  type Checkpoint,
  type RunPosition,
} from './checkpoint.ts'
import { isTuned, type PolicyStage, type TrainConfig, type TunedStage } from './config.ts'
import { createCritic, createCriticStore, type Critic } from './critic.ts'
import { runEcgPretrainStage } from './ecg-pretrain-stage.ts'
import { trainerErrors } from './errors.ts'
import { createLearner, type Learner, type LearnerModel } from './learner.ts'
import { needsReference, runPolicyStage } from './policy-stage.ts'
import { createSamplePreparer, type SamplePreparer } from './prepared-sample.ts'
import type { RunFolder } from './run-folder.ts'
import { runSftStage } from './sft-stage.ts'
import type { StageContext, StepProgress } from './stage-context.ts'
import { isTrainable } from './stage-schedule.ts'
import { stageWeights, type StageWeights, type WeightLookup } from './stage-weights.ts'
import { stageSamples, type TrainingData } from './training-data.ts'
import { afterValidation, validate } from './validation.ts'

/** What the stages of a run share. */
export interface StageRun {
  readonly config: TrainConfig
  readonly data: TrainingData
  readonly model: PolicyModel
  readonly run: RunFolder
  readonly executor: Executor
  readonly reward: CompositeReward
  /** Where a resumed run goes on. */
  readonly checkpoint: Checkpoint | undefined
  readonly signal?: AbortSignal | undefined
  readonly onStep?: ((progress: StepProgress) => void) | undefined
  /** Checks every value of the learner's runs. */
  readonly debug?: boolean | undefined
}

/** Steps that may be left out one after another before a run that skips gives up. */
const maxSkippedSteps = 10

/** Runs one stage of any kind. @returns the weights the stage leaves */
export function runStage(running: StageRun, stageIndex: number, before: WeightLookup): Promise<StageWeights> {
  const { config, data, model, run, executor, signal, onStep } = running
  const stage = config.stages[stageIndex]!
  const resumed = running.checkpoint?.position.stageIndex === stageIndex ? running.checkpoint : undefined
  if (isTuned(stage)) return runTunedStage(running, { stage, stageIndex, before, resumed })
  const samples = stageSamples(stage, data.samples)
  const shared = { config, stageIndex, model, executor, run, samples, before, resumed, signal, onStep }
  return runEcgPretrainStage(stage, { ...shared, keptCheckpoints: config.keep })
}

/** A stage that trains the policy to answer, and where it begins. */
interface TunedRun {
  readonly stage: TunedStage
  readonly stageIndex: number
  readonly before: WeightLookup
  /** A checkpoint of the stage to go on from. */
  readonly resumed: Checkpoint | undefined
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

interface StageParts {
  readonly learner: Learner
  readonly critic: Critic | undefined
  readonly policy: Policy
  readonly trained: StageWeights
  readonly resumed: Checkpoint | undefined
}

/** How far a stage is, and what happens between its steps. */
class StageProgress {
  done: RunPosition
  readonly #running: StageRun
  readonly #stage: TunedStage
  readonly #stageIndex: number
  readonly #parts: StageParts
  readonly #prepare: SamplePreparer
  #saved: RunPosition | undefined
  #skipped = 0
  #hasBegun: boolean

  constructor(running: StageRun, { stage, stageIndex }: TunedRun, parts: StageParts) {
    this.#running = running
    this.#stage = stage
    this.#stageIndex = stageIndex
    this.#parts = parts
    this.#saved = parts.resumed?.position
    this.#hasBegun = parts.resumed !== undefined
    this.done = parts.resumed?.position ?? { stageIndex, step: 0 }
    const { maxPromptTokens } = running.config.data
    this.#prepare = createSamplePreparer(running.model, { maxPromptTokens })
  }

  /** Reads the optimizers' states, or validates and saves the start of the stage. */
  async begin(): Promise<void> {
    const { resumed, learner, critic } = this.#parts
    if (!resumed) {
      this.done = await this.#validated(this.done)
      this.#hasBegun = true
      return this.save()
    }
    learner.restoreOptimizer(await loadOptimizer(resumed))
    if (critic) critic.restoreOptimizer(await loadCritic(resumed, critic.store))
  }

  context(): StageContext {
    const { config, data, model, executor, reward, run, signal, onStep } = this.#running
    const { learner, policy, trained } = this.#parts
    return {
      config,
      model,
      executor,
      reward,
      run,
      signal,
      onStep,
      learner,
      policy,
      weights: trained.weights,
      stageIndex: this.#stageIndex,
      samples: stageSamples(this.#stage, data.samples),
      prepare: this.#prepare,
      start: this.done,
      finishStep: (position, outcome) => this.#finishStep(position, outcome),
    }
  }

  /** Written once only: a kill while it is replaced would leave neither the old one nor the new. */
  async save(): Promise<void> {
    // A start that is not validated yet is not one to go on from.
    if (this.#saved === this.done || !this.#hasBegun) return
    const { config, model, run } = this.#running
    const { trained, learner, critic } = this.#parts
    const position = this.done
    await saveCheckpoint(run.path, {
      model,
      trained,
      position,
      optimizer: learner.optimizerState(),
      ...(critic && { critic: { store: critic.store, optimizer: critic.optimizerState() } }),
    })
    this.#saved = position
    await pruneCheckpoints(run.path, config.keep)
  }

  async #finishStep(position: RunPosition, outcome: 'done' | 'skipped'): Promise<RunPosition> {
    const stage = this.#stage
    this.#skipped = outcome === 'skipped' ? this.#skipped + 1 : 0
    if (this.#skipped >= maxSkippedSteps) {
      const where = `so were the ${maxSkippedSteps - 1} steps before; the weights are probably lost`
      throw trainerErrors.NOT_FINITE({ what: 'result', stage: stage.name, step: position.step, where })
    }
    this.done = position
    const isLast = position.step === stage.steps
    const isDue = stage.validate && (position.step % stage.validate.every === 0 || isLast)
    if (isDue) this.done = await this.#validated(position)
    const isBest = isDue && this.done.best?.step === position.step
    const isEnd = isLast || this.done.isFinished === true
    if (isBest || isEnd || position.step % stage.checkpointEvery === 0) await this.save()
    return this.done
  }

  async #validated(position: RunPosition): Promise<RunPosition> {
    const stage = this.#stage
    if (!stage.validate) return position
    const { config, data, run, reward, signal } = this.#running
    const began = performance.now()
    const { policy } = this.#parts
    const report = await validate(stage, stage.validate, {
      config,
      data,
      reward,
      signal,
      policy,
      prepare: this.#prepare,
    })
    const seconds = (performance.now() - began) / 1000
    const { step, stageIndex } = position
    await run.metric({ type: 'validation', stage: stage.name, stageIndex, step, ...report, seconds })
    this.#running.onStep?.({
      stage: stage.name,
      algorithm: stage.algorithm,
      step,
      steps: stage.steps,
      seconds,
      accuracy: report.accuracy,
    })
    return afterValidation(stage.validate, position, report.accuracy)
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

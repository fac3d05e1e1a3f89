import type { Policy } from '@qoq-med/model'
import { loadCritic, loadOptimizer, pruneCheckpoints, saveCheckpoint, type Checkpoint } from '../run/checkpoint.ts'
import type { TunedStage } from '../config/run-config.ts'
import type { Critic } from '../learn/critic.ts'
import { trainerErrors } from '../errors.ts'
import type { Learner } from '../learn/learner.ts'
import { createSamplePreparer, type SamplePreparer } from '../run/prepared-sample.ts'
import type { RunPosition } from '../run/run-position.ts'
import type { StageContext } from './stage-context.ts'
import type { StageRun, TunedRun } from './stage-run.ts'
import type { StageWeights } from '../run/stage-weights.ts'
import { stageSamples } from '../run/training-data.ts'
import { afterValidation, validate } from './validation.ts'

/** Steps that may be left out one after another before a run that skips gives up. */
const maxSkippedSteps = 10

/** What a stage trains and answers with. */
export interface StageParts {
  readonly learner: Learner
  readonly critic: Critic | undefined
  readonly policy: Policy
  readonly trained: StageWeights
  readonly resumed: Checkpoint | undefined
}

/** How far a stage is, and what happens between its steps. */
export class StageProgress {
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
    const { config, data, model, executor, reward, run, leftOut, signal, onStep } = this.#running
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
      leftOut,
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
    const { config, data, run, reward, leftOut, signal } = this.#running
    const began = performance.now()
    const { policy } = this.#parts
    const report = await validate(stage, stage.validate, {
      config,
      data,
      reward,
      signal,
      policy,
      prepare: this.#prepare,
      leftOut,
    })
    const seconds = (performance.now() - began) / 1000
    const { step, stageIndex } = position
    await run.metric({ type: 'validation', stage: stage.name, stageIndex, step, ...report, seconds })
    await this.#running.onStep?.({
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

import type { Stage } from '../config/run-config.ts'
import { trainerErrors } from '../errors.ts'
import { modelCard } from '../run/model-card.ts'
import { pruneCheckpoints, saveCheckpoint, type Checkpoint } from '../run/checkpoint.ts'
import type { Run } from '../run/run.ts'
import type { RunPosition } from '../run/run-position.ts'
import { secondsSince } from '../seconds-since.ts'
import { afterValidation } from './after-validation.ts'
import type { StageWork } from './stage-kind.ts'

/** Steps that may be left out one after another before a run that skips gives up. */
const maxSkippedSteps = 10

/** A stage that is running, and the checkpoint that it goes on from. */
export interface RunningStage {
  readonly stage: Stage
  readonly stageIndex: number
  readonly work: StageWork
  readonly resumed: Checkpoint | undefined
}

/** How far a stage is, and what happens between its steps. */
export class StageProgress {
  done: RunPosition
  readonly #run: Run
  readonly #stage: Stage
  readonly #work: StageWork
  #saved: RunPosition | undefined
  #skipped = 0
  #hasBegun: boolean

  constructor(run: Run, { stage, stageIndex, work, resumed }: RunningStage) {
    this.#run = run
    this.#stage = stage
    this.#work = work
    this.#saved = resumed?.position
    this.#hasBegun = resumed !== undefined
    this.done = resumed?.position ?? { stageIndex, step: 0 }
  }

  /** Validates and saves the start of a stage that does not go on from a checkpoint. */
  async begin(): Promise<void> {
    if (!this.#hasBegun) {
      this.done = await this.#validated(this.done)
      this.#hasBegun = true
      await this.save()
    }
    await this.#work.begin?.()
  }

  /** Written once only: a kill while it is replaced would leave neither the old one nor the new. */
  async save(): Promise<void> {
    // A start that is not validated yet is not one to go on from.
    if (this.#saved === this.done || !this.#hasBegun) return
    const { config, model, folder } = this.#run
    const position = this.done
    const content = { model, trained: this.#work.trained, position, card: modelCard(config, position) }
    await saveCheckpoint(folder.path, { ...content, ...this.#work.content() })
    this.#saved = position
    await pruneCheckpoints(folder.path, config.keep)
  }

  /**
   * Notes a finished or skipped step, validates and saves a checkpoint where one is due.
   *
   * @throws TRAINER_NOT_FINITE when too many steps in a row were skipped
   */
  async finishStep(position: RunPosition, outcome: 'done' | 'skipped'): Promise<void> {
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
  }

  async #validated(position: RunPosition): Promise<RunPosition> {
    const { validate, name, algorithm, steps } = this.#stage
    if (!validate) return position
    const { folder, onStep } = this.#run
    const began = performance.now()
    const { score, metrics, progress } = await this.#work.validate()
    const seconds = secondsSince(began)
    const { step, stageIndex } = position
    await folder.metric({ type: 'validation', stage: name, stageIndex, step, ...metrics, seconds })
    await onStep?.({ stage: name, algorithm, step, steps, seconds, ...progress })
    return afterValidation(validate, position, score)
  }
}

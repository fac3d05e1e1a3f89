import type { PolicyModel } from '@qoq-med/model'
import type { Stage } from '../config/run-config.ts'
import type { Checkpoint, OptimizerContent } from '../run/checkpoint.ts'
import type { Run, StepProgress } from '../run/run.ts'
import type { RunPosition } from '../run/run-position.ts'
import type { StageWeights, WeightLookup } from '../run/trained-weights.ts'
import type { StageNeeds, StageSizes } from './stage-needs.ts'

/** A kind of stage: what it checks, what it takes, and its steps. A new kind is a file and a row of `stageKinds`. */
export interface StageKind<Its extends Stage = Stage> {
  /**
   * Checks a stage against the model before anything is written.
   *
   * @param field the stage's place in the configuration, for an error
   * @throws TRAINER_CONFIG_FIELD, MODEL_LORA_INVALID
   */
  check(stage: Its, model: PolicyModel, field: string): void
  /** Says what a step takes, without running one. */
  needs(stage: Its, model: PolicyModel, sizes: StageSizes): StageNeeds
  /** Makes the stage ready, with fresh optimizers on the weights that the stage before left, or as a checkpoint has it. */
  start(run: Run, at: StageStart<Its>): Promise<StageWork>
}

/** Where a stage begins. */
export interface StageStart<Its extends Stage = Stage> {
  readonly stage: Its
  readonly stageIndex: number
  /** Weights of the whole model that the stage before left. */
  readonly before: WeightLookup
  /** A checkpoint of the stage to go on from. */
  readonly resumed: Checkpoint | undefined
}

/** A stage that is running: `runStage` decides when each of these happens. */
export interface StageWork {
  /** What it trains, and the model that it makes. */
  readonly trained: StageWeights
  /** Does what comes before the first step of a stage that begins or goes on; its first checkpoint is there. */
  begin?(): Promise<void>
  /** Makes the step after a position. @throws StepFault */
  step(position: RunPosition): Promise<StepOutcome>
  /** Forgets what a step that is left out has done so far. @returns the position after it */
  skip(position: RunPosition): RunPosition
  /** Measures the weights on samples that do not train. */
  validate(): Promise<ValidationOutcome>
  /** What a checkpoint holds beside model and position. */
  content(): OptimizerContent
  /** The weights of an earlier checkpoint of the stage. */
  weightsAt(checkpoint: Checkpoint): Promise<StageWeights>
  close(): Promise<void>
}

/** What a step did. */
export interface StepOutcome {
  readonly position: RunPosition
  /** For metrics.jsonl, beside the step's coordinates. */
  readonly metrics: Readonly<Record<string, unknown>>
  /** For the progress line. */
  readonly progress: Partial<StepProgress>
  /** Lines for samples.jsonl, beside the step's coordinates. */
  readonly samples?: readonly Readonly<Record<string, unknown>>[]
  /** Nothing was updated. */
  readonly isSkipped?: boolean
}

/** What a validation found. */
export interface ValidationOutcome {
  /** What is compared with the best so far: the higher the better. */
  readonly score: number
  /** For metrics.jsonl. */
  readonly metrics: Readonly<Record<string, unknown>>
  /** For the progress line. */
  readonly progress: Partial<StepProgress>
}

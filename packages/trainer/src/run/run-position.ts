import { z } from 'zod'

/** Where a run stands: everything that is not weights or moments. Random draws follow from seed and step alone. */
export interface RunPosition {
  /** The stage that is being trained. */
  readonly stageIndex: number
  /** Steps of the stage that are done. */
  readonly step: number
  /** Place of a reinforcement stage in the endless order of samples. */
  readonly cursor?: number | undefined
  /** The advantage estimator's memory, such as DRPO's running history; plain JSON. */
  readonly advantageState?: unknown
  /** Where an adaptive β stands. */
  readonly klCoefficient?: number | undefined
  /** The best validation of the stage so far. */
  readonly best?: BestValidation | undefined
  /** The stage is over before its last step: its validation stopped improving. */
  readonly isFinished?: boolean | undefined
}

/** The best validation of a stage. */
export interface BestValidation {
  readonly step: number
  /** The higher the better: an accuracy, or a negative loss. */
  readonly score: number
  /** Validations since then that were no better. */
  readonly worse: number
}

/** A position as state.json has it, with the steps of the optimizers. */
export const SavedPosition = z.object({
  stageIndex: z.int().min(0),
  step: z.int().min(0),
  optimizerStep: z.int().min(0),
  criticStep: z.int().min(0).optional(),
  cursor: z.int().min(0).optional(),
  advantageState: z.unknown().optional(),
  klCoefficient: z.number().min(0).optional(),
  best: z.object({ step: z.int().min(0), score: z.number(), worse: z.int().min(0) }).optional(),
  isFinished: z.boolean().optional(),
})

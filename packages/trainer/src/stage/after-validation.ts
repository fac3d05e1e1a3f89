import type { Validation } from '../config/stage-fields.ts'
import type { BestValidation, RunPosition } from '../run/run-position.ts'

/** Notes a validation in the position of a run: a new best, or one more that was not; the stage ends when patience does. */
export function afterValidation({ patience }: Validation, position: RunPosition, score: number): RunPosition {
  const { best, step } = position
  if (!best || score > best.score) return { ...position, best: { step, score, worse: 0 } }
  const worse: BestValidation = { ...best, worse: best.worse + 1 }
  return { ...position, best: worse, ...(patience !== undefined && worse.worse >= patience && { isFinished: true }) }
}

import { algorithmOf } from '../config/algorithms.ts'
import type { PolicyStage } from '../config/run-config.ts'

/** Tells whether a stage compares with the policy that it began with. */
export function needsReference(stage: PolicyStage): boolean {
  return stage.klCoefficient > 0 || stage.adaptiveKl !== undefined || algorithmOf(stage).readsKl === true
}

import { algorithmNamed } from '../config/algorithms.ts'
import type { PolicyStage } from '../config/run-config.ts'

/** Tells whether a stage compares with the policy that it began with. */
export function needsReference({ algorithm, klCoefficient, adaptiveKl }: PolicyStage): boolean {
  return klCoefficient > 0 || adaptiveKl !== undefined || algorithmNamed(algorithm).readsKl === true
}

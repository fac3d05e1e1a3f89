import { constantSchedule, cosineSchedule, linearSchedule, type LearningRateSchedule } from '@qoq-med/tensor'
import type { Stage, TunedStage } from './run-config.ts'
import { trainerErrors } from '../errors.ts'

/** The learning rate of a stage's steps, counted from 1; the first warm-up step already moves the weights. */
export function stageSchedule(stage: Stage): LearningRateSchedule {
  const { learningRate: peak, steps: totalSteps, schedule } = stage
  const { warmupSteps, final = 0 } = schedule
  if (schedule.type === 'constant') return constantSchedule({ peak, warmupSteps })
  const falling = schedule.type === 'cosine' ? cosineSchedule : linearSchedule
  // One step more: the last step should not have a rate of zero.
  return falling({ peak, warmupSteps, totalSteps: totalSteps + 1, final })
}

/** Tells whether a parameter trains in a stage: it matches one of the patterns, `*` standing for anything. */
export function isTrainable(stage: TunedStage, name: string): boolean {
  return stage.trainable.some(pattern => matches(pattern, name))
}

/**
 * Checks that every pattern of a stage stands for some parameter: a misspelt one would train less than is meant, or nothing.
 *
 * @param field the stage's place in the configuration
 * @throws TRAINER_CONFIG_FIELD
 */
export function requireTrainable(
  { trainable }: TunedStage,
  parameters: readonly { readonly name: string; readonly isTrainable: boolean }[],
  field: string,
): void {
  const names = parameters.filter(parameter => parameter.isTrainable).map(({ name }) => name)
  const idle = trainable.find(pattern => !names.some(parameter => matches(pattern, parameter)))
  if (idle === undefined) return
  const reason = `no parameter that trains is named ${idle}; there are ${names[0]} to ${names.at(-1)}`
  throw trainerErrors.CONFIG_FIELD({ field: `${field}.trainable`, reason })
}

function matches(pattern: string, name: string): boolean {
  const escaped = pattern.split('*').map(part => part.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`))
  return new RegExp(`^${escaped.join('.*')}$`).test(name)
}

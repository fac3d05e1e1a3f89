import { constantSchedule, cosineSchedule, linearSchedule, type LearningRateSchedule } from '@qoq-med/tensor'
import type { TrainConfig } from './config.ts'

/** The learning rate of a stage's steps, counted from 1; the first warm-up step already moves the weights. */
export function stageSchedule(stage: TrainConfig['stages'][number]): LearningRateSchedule {
  const { learningRate: peak, steps: totalSteps, schedule } = stage
  const { warmupSteps } = schedule
  if (schedule.type === 'constant') return constantSchedule({ peak, warmupSteps })
  const falling = schedule.type === 'cosine' ? cosineSchedule : linearSchedule
  // One step more: the last step should not have a rate of zero.
  return falling({ peak, warmupSteps, totalSteps: totalSteps + 1 })
}

/** Tells whether a parameter trains in a stage: it matches one of the patterns, `*` standing for anything. */
export function isTrainable(stage: TrainConfig['stages'][number], name: string): boolean {
  return stage.trainable.some(pattern => {
    const escaped = pattern.split('*').map(part => part.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`))
    return new RegExp(`^${escaped.join('.*')}$`).test(name)
  })
}

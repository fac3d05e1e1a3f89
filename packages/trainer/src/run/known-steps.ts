import type { Stage, TrainConfig } from '../config/run-config.ts'
import { stageSamples, type TrainingData } from './training-data.ts'

/** The configuration with the number of steps of stages that are given in epochs. @throws TRAINER_NO_SAMPLES */
export function withKnownSteps(config: TrainConfig, data: TrainingData): TrainConfig {
  if (config.stages.every(({ epochs }) => epochs === undefined)) return config
  return { ...config, stages: config.stages.map(stage => knownSteps(stage, data, config)) }
}

function knownSteps<Its extends Stage>(stage: Its, data: TrainingData, config: TrainConfig): Its {
  const { epochs, ...rest } = stage
  if (epochs === undefined) return stage
  const perStep = 'questionsPerStep' in stage ? stage.questionsPerStep : stage.batchSize
  const steps = Math.ceil((epochs * stageSamples(stage, data, config).length) / perStep)
  return { ...rest, steps } as unknown as Its // the same kind of stage, with steps in place of epochs
}

import type { PolicyModel } from '@qoq-med/model'
import type { TrainConfig } from '../config/run-config.ts'
import { stageSamples, validationSamples, type TrainingData } from '../run/training-data.ts'
import { kindOf } from './stage-kinds.ts'

/** Checks that every stage of a run has samples, before a model is made. @throws TRAINER_NO_SAMPLES */
export function checkSamples(config: TrainConfig, data: TrainingData): void {
  for (const stage of config.stages) {
    stageSamples(stage, data, config)
    if (stage.validate) validationSamples(stage, data)
  }
}

/** Checks the stages of a run against its model, before anything is written. @throws TRAINER_CONFIG_FIELD, MODEL_LORA_INVALID */
export function checkStages({ stages }: TrainConfig, model: PolicyModel): void {
  for (const [i, stage] of stages.entries()) kindOf(stage).check(stage, model, `stages.${i} ("${stage.name}")`)
}

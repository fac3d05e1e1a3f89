import type { TrainConfig } from './config/run-config.ts'
import { engines } from './engine/engines.ts'
import type { TrainOptions, TrainResult } from './engine/train-options.ts'

/**
 * Runs a configuration into a run folder, by the engine that it names: this process by default, its stages in order, each with a
 * fresh optimizer.
 *
 * @throws TRAINER_RUN_EXISTS, TRAINER_RUN_BUSY, TRAINER_FOLDER_TAKEN, TRAINER_NO_RUN, TRAINER_RESUME_CONFIG, TRAINER_NO_SAMPLES, TRAINER_NOT_FINITE,
 *   TRAINER_RESUME_DATA, TRAINER_CHECKPOINT_DAMAGED, TRAINER_REWARD_FAILED, TRAINER_DISK_FULL, TRAINER_ABORTED, and the DATA, MODEL and TENSOR errors of what it uses; of an engine elsewhere
 *   TRAINER_ENGINE_FIELD, TRAINER_ENGINE_MISSING, TRAINER_ENGINE_AWAY, TRAINER_ENGINE_FAILED, TRAINER_ENGINE_DIFFERS, TRAINER_NO_JOB
 * @example
 * const config = await loadConfig('examples/spine.yaml')
 * await train(config, { baseFolder: 'examples', onStep: ({ step, reward }) => console.log(step, reward) })
 */
export function train(config: TrainConfig, options: TrainOptions = {}): Promise<TrainResult> {
  return engines[config.engine ?? 'local'].train(config, options)
}

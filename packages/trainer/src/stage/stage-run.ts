import type { PolicyModel } from '@qoq-med/model'
import type { Executor } from '@qoq-med/tensor'
import type { Checkpoint } from '../run/checkpoint.ts'
import type { TrainConfig, TunedStage } from '../config/run-config.ts'
import type { LeftOutSamples } from '../run/left-out-samples.ts'
import type { RunReward } from '../run/run-reward.ts'
import type { RunFolder } from '../run/run-folder.ts'
import type { StepProgress } from './stage-context.ts'
import type { WeightLookup } from '../run/stage-weights.ts'
import type { TrainingData } from '../run/training-data.ts'

/** What the stages of a run share. */
export interface StageRun {
  readonly config: TrainConfig
  readonly data: TrainingData
  readonly model: PolicyModel
  readonly run: RunFolder
  readonly leftOut: LeftOutSamples
  readonly executor: Executor
  readonly reward: RunReward
  /** Where a resumed run goes on. */
  readonly checkpoint: Checkpoint | undefined
  readonly signal?: AbortSignal | undefined
  readonly onStep?: ((progress: StepProgress) => void | Promise<void>) | undefined
  /** Checks every value of the learner's runs. */
  readonly debug?: boolean | undefined
}

/** A stage that trains the policy to answer, and where it begins. */
export interface TunedRun {
  readonly stage: TunedStage
  readonly stageIndex: number
  readonly before: WeightLookup
  /** A checkpoint of the stage to go on from. */
  readonly resumed: Checkpoint | undefined
}

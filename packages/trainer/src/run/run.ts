import type { FrozenBase, PolicyModel } from '@qoq-med/model'
import type { Executor } from '@qoq-med/tensor'
import type { TrainConfig } from '../config/run-config.ts'
import type { Checkpoint } from './checkpoint.ts'
import type { LeftOutSamples } from './left-out-samples.ts'
import type { SamplePreparer } from './prepared-sample.ts'
import type { RunFolder } from './run-folder.ts'
import type { RunReward } from './run-reward.ts'
import type { TrainingData } from './training-data.ts'

/** What all parts of a run share: the one value that is handed on. */
export interface Run {
  readonly config: TrainConfig
  readonly data: TrainingData
  readonly model: PolicyModel
  /** The model's weights on disk, where they stay frozen there and adapters alone train. */
  readonly base?: FrozenBase | undefined
  readonly executor: Executor
  readonly reward: RunReward
  readonly folder: RunFolder
  readonly prepare: SamplePreparer
  readonly leftOut: LeftOutSamples
  /** Where a resumed run goes on. */
  readonly checkpoint: Checkpoint | undefined
  readonly signal?: AbortSignal | undefined
  /** The next step waits for what it answers. */
  readonly onStep?: ((progress: StepProgress) => void | Promise<void>) | undefined
  /** Checks every value of the learners' runs. */
  readonly debug?: boolean | undefined
}

/** One finished step, for a progress line. */
export interface StepProgress {
  readonly stage: string
  readonly algorithm: string
  readonly step: number
  readonly steps: number
  /** SFT and pre-training: the loss. */
  readonly loss?: number
  /** Reinforcement: the mean reward. */
  readonly reward?: number
  /** The accuracy of a validation, the mean over domains. */
  readonly accuracy?: number
  /** 95 % interval of that accuracy. */
  readonly interval?: readonly [low: number, high: number]
  /** Reinforcement: the gap between sampler and trainer, where it is above the stage's warning. */
  readonly logprobGap?: number
  /** Reinforcement: the mean reward of each domain that took part. */
  readonly rewardByDomain?: Readonly<Record<string, number>>
  /** What may spoil the training, each said once a stage, with what to do about it. */
  readonly warnings?: readonly string[]
  readonly seconds: number
}

import type { Sample } from '@qoq-med/data-climb'
import type { Policy, PolicyModel } from '@qoq-med/model'
import type { Executor } from '@qoq-med/tensor'
import type { RunPosition } from '../run/run-position.ts'
import type { TrainConfig } from '../config/run-config.ts'
import type { Learner } from '../learn/learner.ts'
import type { LeftOutSamples } from '../run/left-out-samples.ts'
import type { PreparedSample, SamplePreparer } from '../run/prepared-sample.ts'
import type { RunReward } from '../run/run-reward.ts'
import type { RunFolder } from '../run/run-folder.ts'

/** One finished step, for a progress line. */
export interface StepProgress {
  readonly stage: string
  readonly algorithm: string
  readonly step: number
  readonly steps: number
  /** SFT: the loss. */
  readonly loss?: number
  /** Reinforcement: the mean reward. */
  readonly reward?: number
  /** The accuracy of a validation. */
  readonly accuracy?: number
  /** Reinforcement: the gap between sampler and trainer, where it is above the stage's warning. */
  readonly logprobGap?: number
  /** Reinforcement: the mean reward of each domain that took part. */
  readonly rewardByDomain?: Readonly<Record<string, number>>
  readonly seconds: number
}

/** What every stage works with. */
export interface StageContext {
  readonly config: TrainConfig
  readonly stageIndex: number
  readonly model: PolicyModel
  /** Weights of the policy as it answers. */
  readonly weights: (name: string) => Float32Array
  readonly executor: Executor
  readonly learner: Learner
  /** Answers with these weights. */
  readonly policy: Policy
  readonly samples: readonly Sample[]
  readonly prepare: SamplePreparer
  readonly leftOut: LeftOutSamples
  readonly reward: RunReward
  readonly run: RunFolder
  /** Where the stage begins: step 0, or where a resumed run stood. */
  readonly start: RunPosition
  readonly signal?: AbortSignal | undefined
  /** The next step waits for what it answers. */
  readonly onStep?: ((progress: StepProgress) => void | Promise<void>) | undefined
  /**
   * Notes a finished or skipped step, validates and saves a checkpoint where one is due.
   *
   * @returns the position to go on from
   * @throws TRAINER_NOT_FINITE when too many steps in a row were skipped
   */
  finishStep(position: RunPosition, outcome: 'done' | 'skipped'): Promise<RunPosition>
}

/** Splits a list into runs of at most `size`. */
export function chunks<Item>(items: readonly Item[], size: number): Item[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size))
}

/** Seconds since a time of `performance.now()`. */
export function secondsSince(start: number): number {
  return (performance.now() - start) / 1000
}

/** The mean of numbers; 0 for none. */
export function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length
}

/**
 * Prepares the samples of a step; one that cannot be used gives its place to the next.
 *
 * @throws DATA_TOO_MANY_FAILURES, and what the samples' readers throw
 */
export function prepareBatch(
  { prepare, samples, leftOut }: Pick<StageContext, 'prepare' | 'samples' | 'leftOut'>,
  indices: readonly number[],
): Promise<PreparedSample[]> {
  return Promise.all(indices.map(index => leftOut.firstUsable(samples, index, prepare)))
}

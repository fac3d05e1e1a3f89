import type { FailedSample, Sample } from '@qoq-med/data-climb'
import type { StageSummary } from '../report/run-summary.ts'
import type { RunPosition } from '../run/run-position.ts'
import type { StepProgress } from '../run/run.ts'
import type { TrackingOptions } from '../tracking/start-trackers.ts'
import type { StartRewardServer } from './reward-server.ts'

/** How a run is started. */
export interface TrainOptions {
  /** What relative paths of the configuration are relative to. Default: the working directory. */
  readonly baseFolder?: string | undefined
  /** The run folder; overrides the configuration's `out`. */
  readonly out?: string | undefined
  /** Go on from the last checkpoint in the run folder. */
  readonly resume?: boolean | undefined
  /** Stops after the step that is running and saves. */
  readonly signal?: AbortSignal | undefined
  /** Checks every value of the learner's runs and stops at the operation that makes a NaN; more than twice as slow. */
  readonly debug?: boolean | undefined
  /** Where metrics go beside the run folder. */
  readonly tracking?: TrackingOptions | undefined
  readonly onStart?: ((facts: RunStart) => void) | undefined
  /** Told of every step; the next one waits for what it answers. */
  readonly onStep?: ((progress: StepProgress) => void | Promise<void>) | undefined
  /** Starts a server of rewards and advantages, for an engine outside this process. */
  readonly serveRewards?: StartRewardServer | undefined
  /** Follows the job that the run folder names again, instead of starting one. */
  readonly attach?: boolean | undefined
  /** Asked when `signal` is aborted while a job elsewhere runs: end it, or leave it running. Default: end it. */
  readonly onInterrupt?: ((job: string) => Promise<'stop' | 'detach'>) | undefined
  /** Told what happens outside this process: a job that was started, or found again. */
  readonly onNote?: ((text: string) => void) | undefined
  /** Samples to train on beside those of the configuration's sources. */
  readonly samples?: readonly Sample[] | undefined
}

/** What a run works with, known before its first step. */
export interface RunStart {
  readonly folder: string
  readonly samples: number
  readonly parameters: number
  readonly vocabulary: number
  /** Rows of the data that were left out, by dataset. */
  readonly skipped: Readonly<Record<string, number>>
  /** Where a resumed run goes on. */
  readonly from?: RunPosition
}

/** What a run leaves. */
export interface TrainResult {
  readonly folder: string
  /** The trained model, as a Hugging Face folder. */
  readonly model: string
  /** The run as a page of HTML. */
  readonly report: string
  /** What each stage took. */
  readonly stages: readonly StageSummary[]
  /** Samples that could not be used, with the reason. */
  readonly leftOut: readonly FailedSample[]
}

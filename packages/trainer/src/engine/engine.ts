import type { PolicyStage, TrainConfig } from '../config/run-config.ts'
import type { TrainOptions, TrainResult } from './train-options.ts'

/** What trains a run: this process, or an engine elsewhere that asks a server of ours for rewards and advantages. */
export interface Engine {
  /** Runs a configuration, or follows its running job again. */
  train(config: TrainConfig, options: TrainOptions): Promise<TrainResult>
}

/** A field of a configuration that an engine has no counterpart for. */
export interface RefusedField {
  /** Path in the configuration. */
  readonly field: string
  /** Why, as the end of a sentence. */
  readonly reason: string
}

/** How a job stands. */
export type JobState = 'running' | 'succeeded' | 'failed' | 'stopped'

/** A training job outside this process. */
export interface Job {
  /** What names it, for a person and for `openJob`. */
  readonly id: string
  state(): Promise<JobState>
  /** What its log has more than at the look before, piece by piece; the first look begins at the log's beginning. */
  newLog(): AsyncIterable<string>
  /** Ends it; it is over when this resolves. */
  stop(): Promise<void>
}

/** What a job is started with. */
export interface JobRequest {
  /** The folder of the job: job.json, rows.jsonl, pictures/. */
  readonly folder: string
  readonly config: TrainConfig
  /** Environment variables: address and key of the server. They stand in no file and no log. */
  readonly environment: Readonly<Record<string, string>>
}

/** An engine outside this process: one row of `external-engines.ts`. */
export interface ExternalEngine {
  readonly name: 'trl' | 'verl'
  /** What of a configuration it cannot do, beside what no external engine can. */
  refused(config: TrainConfig, stage: PolicyStage): readonly RefusedField[]
  /** The engine's own settings, by its own names: a part of job.json. */
  settings(config: TrainConfig, stage: PolicyStage): Readonly<Record<string, unknown>>
  /** Says what is missing, before anything is written or sent. @throws TRAINER_ENGINE_MISSING, TRAINER_ENGINE_AWAY */
  probe(config: TrainConfig): Promise<void>
  /** Address of this machine as the job sees it. Default 127.0.0.1. */
  serverHost?(config: TrainConfig): Promise<string>
  start(request: JobRequest): Promise<Job>
  /** The job of an id that `start` gave, of this process or of one before. */
  open(id: string, request: Pick<JobRequest, 'config' | 'folder'>): Job
}

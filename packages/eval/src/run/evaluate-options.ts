import type { Sample } from '@qoq-med/data-climb'
import type { MetricOptions } from '../metrics/dataset-metrics.ts'
import type { IntervalOptions } from '../statistics/metric-distributions.ts'
import type { AnswerMode, GrammarOf, InputChoice } from './answer-mode.ts'
import type { EvaluatedPolicy, ScoreLabels } from './evaluated-policy.ts'
import type { SeenSize } from './stored-pixels.ts'

/** How answers are sampled; greedy by default. */
export interface EvaluationSampling {
  /** 0 takes the likeliest token. */
  readonly temperature: number
  readonly topP: number
  readonly maxNewTokens: number
  readonly seed: number
}

/** What is evaluated, and where the results go. */
export interface EvaluateOptions {
  readonly policy: EvaluatedPolicy
  readonly samples: readonly Sample[]
  /** Folder of samples.jsonl, results.json and the reports; made if absent. A killed run goes on from it. */
  readonly outDir: string
  readonly sampling?: Partial<EvaluationSampling>
  /** What tells this policy from another of the same name, such as a hash of its weights. */
  readonly fingerprint?: string
  /** The size at which the policy sees a picture: boxes of answers are in those pixels. As stored by default. */
  readonly seenSize?: SeenSize
  /** Prompts that are answered at a time; 16 by default. */
  readonly batchSize?: number
  /**
   * Asks samples one by one, so many at a time, instead of in batches: for a policy behind an endpoint, whose failures are
   * then those of one sample.
   */
  readonly concurrency?: number
  /** `generate` by default. */
  readonly mode?: AnswerMode
  /** The form of a sample's answer, for the mode `grammar`. */
  readonly grammarOf?: GrammarOf
  /** Ranks labels, for the mode `score`. */
  readonly scoreLabels?: ScoreLabels
  /** Which modalities the policy is shown; all of them by default. */
  readonly inputs?: InputChoice
  /** The groups of a sample's patient by attribute, such as `{ sex: 'F' }`; metrics are then also by subgroup. */
  readonly groupsOf?: (sample: Sample) => Readonly<Record<string, string>> | undefined
  /** Groups of fewer patients are shown and not compared; 20 by default. */
  readonly minPatients?: number
  readonly intervals?: IntervalOptions
  /** How accuracy and labels are read; as in the paper by default. */
  readonly reading?: MetricOptions
  /** With `onError: 'skip'`: whether samples that failed are left out (default) or count as wrong; both shares are printed. */
  readonly onFailure?: 'exclude' | 'wrong'
  /** Recorded in results.json beside what is measured. */
  readonly config?: Readonly<Record<string, unknown>>
  /**
   * Choices by the name that a person knows, such as `{ '--split': 'test' }`: a later call with the same folder must have the
   * same ones, and the first that differs is named.
   */
  readonly settings?: Readonly<Record<string, unknown>>
  /** Versions of the packages that took part, recorded in results.json. */
  readonly versions?: Readonly<Record<string, string>>
  /** `throw` (default) stops at the first sample that cannot be used; `skip` leaves it out and names it in the report. */
  readonly onError?: 'throw' | 'skip'
  /** Share of samples that may be left out, as of `FailureLedger`: .05 by default, and one in any case. */
  readonly maxFailureShare?: number
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: EvaluationProgress) => void
}

/** How far an evaluation is. */
export interface EvaluationProgress {
  readonly done: number
  readonly total: number
  /** Answers taken over from an earlier run. */
  readonly resumed: number
  /** Samples that were left out. */
  readonly failed: number
}

import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import type { Sample } from '@qoq-med/data-climb'
import { answerSamples } from './answer-samples.ts'
import { evalErrors } from '../errors.ts'
import type { EvaluatedPolicy } from './evaluated-policy.ts'
import { renderReport } from '../report/evaluation-report.ts'
import { type EvaluationResults, summariseRecords } from './evaluation-results.ts'
import type { IntervalOptions } from '../statistics/metric-intervals.ts'
import { jsonHash } from './json-hash.ts'
import type { SeenSize } from './stored-pixels.ts'
import { replaceFile } from './sample-log.ts'

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
  /** Folder of samples.jsonl, results.json and report.md; made if absent. A killed run goes on from it. */
  readonly outDir: string
  readonly sampling?: Partial<EvaluationSampling>
  /** What tells this policy from another of the same name, such as a hash of its weights. */
  readonly fingerprint?: string
  /** The size at which the policy sees a picture: boxes of answers are in those pixels. As stored by default. */
  readonly seenSize?: SeenSize
  /** Prompts that are answered at a time; 16 by default. */
  readonly batchSize?: number
  readonly intervals?: IntervalOptions
  /** Recorded in results.json beside what is measured. */
  readonly config?: Readonly<Record<string, unknown>>
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

const defaultSampling: EvaluationSampling = { temperature: 0, topP: 1, maxNewTokens: 512, seed: 42 }

/**
 * Asks a policy every sample, scores the answers and writes results.json, samples.jsonl and report.md. Every answer is
 * kept as soon as it is there; the same call again goes on where the last one stopped.
 *
 * @returns what results.json holds
 * @throws EVAL_NO_SAMPLES, EVAL_RUN_MISMATCH, EVAL_LOG_UNREADABLE, EVAL_ABORTED, EVAL_ANSWER_MISSING,
 * DATA_TOO_MANY_FAILURES, and what the policy and the samples' readers throw
 */
export async function evaluate(options: EvaluateOptions): Promise<EvaluationResults> {
  const { policy, samples, outDir, signal, config = {}, versions = {} } = options
  if (samples.length === 0) throw evalErrors.NO_SAMPLES({})
  const sampling = { ...defaultSampling, ...options.sampling }
  await mkdir(outDir, { recursive: true })
  const { records, failures } = await answerSamples(options, sampling)
  if (signal?.aborted === true) throw stopped(options, records.length)
  if (records.length === 0) throw evalErrors.NO_SAMPLES({})
  const labels = Object.fromEntries(samples.map(sample => [sample.dataset, sample.labels]))
  const bootstrap = { seed: 42, resamples: 1000, level: 0.95, ...options.intervals }
  const summary = summariseRecords(records, labels, bootstrap)
  const dataFingerprint = jsonHash(records.map(({ sampleId, truth }) => [sampleId, truth]))
  const about = {
    policy: policy.info.name,
    fingerprint: options.fingerprint ?? '',
    sampling,
    bootstrap,
    dataFingerprint,
  }
  const results: EvaluationResults = { schemaVersion: 1, ...about, config, versions, failures, ...summary }
  await replaceFile(path.join(outDir, 'results.json'), `${JSON.stringify(results, null, 2)}\n`)
  await replaceFile(path.join(outDir, 'report.md'), renderReport(results))
  return results
}

function stopped({ samples, outDir }: EvaluateOptions, done: number): Error {
  return evalErrors.ABORTED({ done, total: samples.length, dir: outDir })
}

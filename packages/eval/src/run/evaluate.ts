import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { type FailedSample, lockFolder, type Sample } from '@qoq-med/data-climb'
import type { MetricOptions } from '../metrics/dataset-metrics.ts'
import type { MetricRow } from '../metrics/outcomes.ts'
import { renderHtmlReport } from '../report/html-report.ts'
import type { AnswerMode, GrammarOf, InputChoice } from './answer-mode.ts'
import { type AnsweredSamples, answerSamples } from './answer-samples.ts'
import { evalErrors } from '../errors.ts'
import type { EvaluatedPolicy, ScoreLabels } from './evaluated-policy.ts'
import { renderReport } from '../report/evaluation-report.ts'
import { type EvaluationResults, summariseRecords } from './evaluation-results.ts'
import type { IntervalOptions } from '../statistics/metric-intervals.ts'
import { jsonHash } from './json-hash.ts'
import type { SeenSize } from './stored-pixels.ts'
import { replaceFile } from './sample-log.ts'
import { writeSampleTable } from './sample-table.ts'

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
 * Asks a policy every sample, scores the answers and writes results.json, samples.jsonl, samples.parquet, report.md and report.html. Every answer is
 * kept as soon as it is there; the same call again goes on where the last one stopped.
 *
 * @returns what results.json holds
 * @throws EVAL_NO_SAMPLES, EVAL_RUN_MISMATCH, EVAL_RUN_BUSY, EVAL_LOG_UNREADABLE, EVAL_ABORTED, EVAL_ANSWER_MISSING, EVAL_SCORES_MISSING,
 * DATA_TOO_MANY_FAILURES, and what the policy and the samples' readers throw
 */
export async function evaluate(options: EvaluateOptions): Promise<EvaluationResults> {
  const { samples, outDir, signal } = options
  if (samples.length === 0) throw evalErrors.NO_SAMPLES({})
  const sampling = { ...defaultSampling, ...options.sampling }
  await mkdir(outDir, { recursive: true })
  return withLock(outDir, async () => {
    const answered = await answerSamples(options, sampling)
    if (signal?.aborted === true) throw stopped(options, answered.records.length)
    return writeResults(options, { ...answered, sampling, mode: options.mode ?? 'generate' })
  })
}

/** Answers with all that results say of them. */
export interface AnsweredEvaluation extends AnsweredSamples {
  readonly sampling: EvaluationSampling
  readonly mode: EvaluationResults['mode']
}

/** Summarises answers and writes results.json, report.md, report.html and samples.parquet. @throws EVAL_NO_SAMPLES */
export async function writeResults(options: EvaluateOptions, answered: AnsweredEvaluation): Promise<EvaluationResults> {
  const { samples, outDir } = options
  const { records } = answered
  if (records.length === 0) throw evalErrors.NO_SAMPLES({})
  const results = resultsOf(options, answered)
  await replaceFile(path.join(outDir, 'results.json'), `${JSON.stringify(results, null, 2)}\n`)
  await replaceFile(path.join(outDir, 'report.md'), renderReport(results))
  await replaceFile(path.join(outDir, 'report.html'), await renderHtmlReport(results, { records, samples }))
  await writeSampleTable(path.join(outDir, 'samples.parquet'), records)
  return results
}

function resultsOf(
  options: EvaluateOptions,
  { records, failures, sampling, mode }: AnsweredEvaluation,
): EvaluationResults {
  const { policy, samples, config = {}, versions = {}, reading, onFailure = 'exclude', inputs = 'full' } = options
  const labels = Object.fromEntries(samples.map(sample => [sample.dataset, sample.labels]))
  const bootstrap = { seed: 42, resamples: 1000, level: 0.95, ...options.intervals }
  const summary = summariseRecords(records, labels, {
    ...reading,
    intervals: bootstrap,
    failed: failures.length,
    ...(onFailure === 'wrong' && { wrong: wrongRows(samples, failures) }),
    ...(options.minPatients !== undefined && { minPatients: options.minPatients }),
  })
  return {
    schemaVersion: 2,
    policy: policy.info.name,
    fingerprint: options.fingerprint ?? '',
    sampling,
    mode,
    inputs,
    reading: { balancedAccuracy: 'paper', labelSet: 'list', ...reading },
    onFailure,
    bootstrap,
    dataFingerprint: jsonHash(records.map(({ sampleId, truth }) => [sampleId, truth])),
    labels,
    config,
    versions,
    failures,
    ...summary,
  }
}

/** Rows without an answer for samples that failed. */
function wrongRows(samples: readonly Sample[], failures: readonly FailedSample[]): MetricRow[] {
  const failed = new Set(failures.map(({ id }) => id))
  return samples
    .filter(({ id }) => failed.has(id))
    .map(({ dataset, domain, answer, patientId }) => {
      const patient = jsonHash([dataset, patientId]).slice(0, 16)
      return { dataset, domain, truth: answer, predicted: [], patientId: patient }
    })
}

async function withLock<Value>(dir: string, work: () => Promise<Value>): Promise<Value> {
  const lock = await lockFolder(dir, 'evaluation.lock')
  if (lock.type === 'busy') throw evalErrors.RUN_BUSY({ dir, pid: lock.pid })
  try {
    return await work()
  } finally {
    await lock.release()
  }
}

function stopped({ samples, outDir }: EvaluateOptions, done: number): Error {
  return evalErrors.ABORTED({ done, total: samples.length, dir: outDir })
}

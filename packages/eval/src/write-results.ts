import path from 'node:path'
import type { FailedSample, Sample } from '@qoq-med/data-climb'
import { evalErrors } from './errors.ts'
import { renderReport } from './report/evaluation-report.ts'
import { renderHtmlReport } from './report/html-report.ts'
import type { AnsweredSamples } from './run/answer-samples.ts'
import type { EvaluateOptions, EvaluationSampling } from './run/evaluate-options.ts'
import { type EvaluationResults, summariseRecords, type WrongRow } from './run/evaluation-results.ts'
import { jsonHash } from './run/json-hash.ts'
import { writeWhole } from '@qoq-med/whole-file'
import { writeSampleTable } from './run/sample-table.ts'

/** Answers with all that results say of them. */
export interface AnsweredEvaluation extends AnsweredSamples {
  readonly sampling: EvaluationSampling
  readonly mode: EvaluationResults['mode']
  /** Failures that count as wrong; all of them with `onFailure: 'wrong'`, none otherwise. */
  readonly wrong?: readonly FailedSample[]
}

/** Summarises answers and writes results.json, report.md, report.html and samples.parquet. @throws EVAL_NO_SAMPLES */
export async function writeResults(options: EvaluateOptions, answered: AnsweredEvaluation): Promise<EvaluationResults> {
  const { samples, outDir } = options
  const { records } = answered
  if (records.length === 0) throw evalErrors.NO_SAMPLES({})
  const results = resultsOf(options, answered)
  await writeWhole(path.join(outDir, 'results.json'), `${JSON.stringify(results, null, 2)}\n`)
  await writeWhole(path.join(outDir, 'report.md'), renderReport(results))
  await writeWhole(path.join(outDir, 'report.html'), await renderHtmlReport(results, { records, samples }))
  await writeSampleTable(path.join(outDir, 'samples.parquet'), records)
  return results
}

function resultsOf(
  options: EvaluateOptions,
  { records, failures, sampling, mode, ...answered }: AnsweredEvaluation,
): EvaluationResults {
  const { policy, samples, config = {}, versions = {}, reading, onFailure = 'exclude', inputs = 'full' } = options
  const wrong = answered.wrong ?? (onFailure === 'wrong' ? failures : [])
  const groups = groupsBySample(options)
  const labels = Object.fromEntries(samples.map(sample => [sample.dataset, sample.labels]))
  const bootstrap = { seed: 42, resamples: 1000, level: 0.95, ...options.intervals }
  const summary = summariseRecords(records, labels, {
    ...reading,
    intervals: bootstrap,
    failed: failures.length,
    wrong: wrongRows(samples, wrong),
    ...(groups && { groups }),
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
    wrong: wrong.length,
    ...(groups && { groups }),
    config,
    versions,
    failures,
    ...summary,
  }
}

/** Rows without an answer for samples that failed. */
function wrongRows(samples: readonly Sample[], failures: readonly FailedSample[]): WrongRow[] {
  const failed = new Set(failures.map(({ id }) => id))
  return samples
    .filter(({ id }) => failed.has(id))
    .map(({ id, dataset, domain, answer, patientId }) => {
      const patient = jsonHash([dataset, patientId]).slice(0, 16)
      return { sampleId: id, dataset, domain, truth: answer, predicted: [], patientId: patient }
    })
}

/** The groups of every sample's patient, where they are known; taken from the samples, so that they can come later. */
function groupsBySample({ samples, groupsOf }: EvaluateOptions): Record<string, Record<string, string>> | undefined {
  if (!groupsOf) return undefined
  const known = samples.flatMap(sample => {
    const groups = groupsOf(sample)
    return groups ? [[sample.id, { ...groups }] as const] : []
  })
  return Object.fromEntries(known)
}

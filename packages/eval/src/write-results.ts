import path from 'node:path'
import type { FailedSample, Sample } from '@qoq-med/data-climb'
import { evalErrors } from './errors.ts'
import type { MetricRow } from './metrics/outcomes.ts'
import { renderReport } from './report/evaluation-report.ts'
import { renderHtmlReport } from './report/html-report.ts'
import type { AnsweredSamples } from './run/answer-samples.ts'
import type { EvaluateOptions, EvaluationSampling } from './run/evaluate-options.ts'
import { type EvaluationResults, summariseRecords } from './run/evaluation-results.ts'
import { jsonHash } from './run/json-hash.ts'
import { replaceFile } from './run/sample-log.ts'
import { writeSampleTable } from './run/sample-table.ts'

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

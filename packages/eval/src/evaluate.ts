import { createHash } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { presentSample, type PresentedSample, type Sample } from '@qoq-med/data-climb'
import { iou, parseResponse, type ParsedResponse } from '@qoq-med/rewards'
import { evalErrors } from './errors.ts'
import type { EvaluatedPolicy, FinishedAnswer, PromptRequest } from './evaluated-policy.ts'
import { renderReport } from './evaluation-report.ts'
import { type EvaluationResults, summariseRecords } from './evaluation-results.ts'
import type { IntervalOptions } from './metric-intervals.ts'
import { inStoredPixels, type SeenSize } from './stored-pixels.ts'
import { appendSample, readSampleLog, replaceFile, type SampleRecord } from './sample-log.ts'

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
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: EvaluationProgress) => void
}

/** How far an evaluation is. */
export interface EvaluationProgress {
  readonly done: number
  readonly total: number
  /** Answers taken over from an earlier run. */
  readonly resumed: number
}

const defaultSampling: EvaluationSampling = { temperature: 0, topP: 1, maxNewTokens: 512, seed: 42 }

/**
 * Asks a policy every sample, scores the answers and writes results.json, samples.jsonl and report.md. Every answer is
 * kept as soon as it is there; the same call again goes on where the last one stopped.
 *
 * @returns what results.json holds
 * @throws EVAL_NO_SAMPLES, EVAL_RUN_MISMATCH, EVAL_LOG_UNREADABLE, EVAL_ABORTED, EVAL_ANSWER_MISSING, and what the policy
 * and the samples' readers throw
 */
export async function evaluate(options: EvaluateOptions): Promise<EvaluationResults> {
  const { policy, samples, outDir, signal, config = {}, versions = {} } = options
  if (samples.length === 0) throw evalErrors.NO_SAMPLES({})
  const sampling = { ...defaultSampling, ...options.sampling }
  await mkdir(outDir, { recursive: true })
  const records = await answerAll(options, sampling)
  if (signal?.aborted === true) throw stopped(options, records.length)
  const labels = Object.fromEntries(samples.map(sample => [sample.dataset, sample.labels]))
  const bootstrap = { seed: 42, resamples: 1000, level: 0.95, ...options.intervals }
  const summary = summariseRecords(records, labels, bootstrap)
  const dataFingerprint = hash(records.map(({ sampleId, truth }) => [sampleId, truth]))
  const about = {
    policy: policy.info.name,
    fingerprint: options.fingerprint ?? '',
    sampling,
    bootstrap,
    dataFingerprint,
  }
  const results: EvaluationResults = { schemaVersion: 1, ...about, config, versions, ...summary }
  await replaceFile(path.join(outDir, 'results.json'), `${JSON.stringify(results, null, 2)}\n`)
  await replaceFile(path.join(outDir, 'report.md'), renderReport(results))
  return results
}

async function answerAll(options: EvaluateOptions, sampling: EvaluationSampling): Promise<SampleRecord[]> {
  const { samples, outDir, batchSize = 16, onProgress, signal } = options
  const file = path.join(outDir, 'samples.jsonl')
  const known = await readSampleLog(file)
  const keys = samples.map(sample => keyOf(sample, options, sampling))
  const own = new Set(keys)
  const foreign = [...known.keys()].filter(key => !own.has(key)).length
  if (foreign > 0) throw evalErrors.RUN_MISMATCH({ dir: outDir, records: foreign })
  const pending = samples.flatMap((sample, index) => (known.has(keys[index]!) ? [] : [{ sample, key: keys[index]! }]))
  const resumed = known.size
  const report = (): void => onProgress?.({ done: known.size, total: samples.length, resumed })
  report()
  for (let start = 0; start < pending.length; start += batchSize) {
    if (signal?.aborted === true) break
    for await (const record of answerBatch(pending.slice(start, start + batchSize), options, sampling)) {
      await appendSample(file, record)
      known.set(record.key, record)
      report()
    }
  }
  return keys.flatMap(key => known.get(key) ?? [])
}

interface PendingSample {
  readonly sample: Sample
  readonly key: string
}

async function* answerBatch(
  batch: readonly PendingSample[],
  { policy, signal, seenSize = stored => stored }: EvaluateOptions,
  sampling: EvaluationSampling,
): AsyncGenerator<SampleRecord> {
  const prepared = await Promise.all(batch.map(({ sample }) => presentSample(sample)))
  const requests: PromptRequest[] = prepared.map(({ prompt }) => ({ prompt, ...sampling }))
  const started = performance.now()
  const open = new Set(batch.keys())
  try {
    for await (const event of policy.generate(requests, signal ? { signal } : {})) {
      const pending = batch[event.request]
      if (event.type !== 'sample-end' || pending === undefined) continue
      open.delete(event.request)
      const seconds = (performance.now() - started) / 1000
      const shown = prepared[event.request]! // one prepared sample per pending one
      const parsed = parseResponse(event.completion.text, pending.sample)
      yield recordOf(pending, shown, event.completion, {
        parsed: inStoredPixels(parsed, shown.pictureSizes, seenSize),
        seconds,
      })
    }
  } catch (error) {
    if (signal?.aborted !== true) throw error
    return
  }
  const [missing] = open
  if (missing !== undefined && signal?.aborted !== true)
    throw evalErrors.ANSWER_MISSING({ sampleId: batch[missing]!.sample.id, policy: policy.info.name }) // an index of batch
}

function recordOf(
  { sample, key }: PendingSample,
  { truth }: PresentedSample,
  completion: FinishedAnswer,
  { parsed, seconds }: { readonly parsed: ParsedResponse; readonly seconds: number },
): SampleRecord {
  const spatial = iou(parsed, truth)
  return {
    key,
    sampleId: sample.id,
    dataset: sample.dataset,
    domain: sample.domain,
    patient: hash([sample.dataset, sample.patientId]).slice(0, 16),
    question: sample.question,
    response: completion.text,
    finish: completion.finish,
    tokens: completion.tokenIds.length,
    truth: [...sample.answer],
    predicted: [...parsed.labels],
    answered: parsed.answer !== undefined && parsed.answer !== '',
    boxes: parsed.boxes.map(({ x1, y1, x2, y2 }) => [x1, y1, x2, y2]),
    problems: parsed.problems.map(({ type }) => type),
    ...('score' in spatial && { iou: spatial.score }),
    seconds,
  }
}

function keyOf(sample: Sample, { policy, fingerprint = '' }: EvaluateOptions, sampling: EvaluationSampling): string {
  return hash([sample.id, sample.question, sample.answer, policy.info.name, fingerprint, sampling])
}

function hash(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex')
}

function stopped({ samples, outDir }: EvaluateOptions, done: number): Error {
  return evalErrors.ABORTED({ done, total: samples.length, dir: outDir })
}

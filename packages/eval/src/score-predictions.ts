import { readFile, mkdir } from 'node:fs/promises'
import path from 'node:path'
import { FailureLedger, presentSample, type FailedSample, type Sample } from '@qoq-med/data-climb'
import { parseResponse } from '@qoq-med/rewards'
import { z } from 'zod'
import { evalErrors } from './errors.ts'
import { keyOf, recordOf, recordOfProbabilities } from './run/answer-samples.ts'
import type { EvaluateOptions } from './run/evaluate-options.ts'
import { writeResults } from './write-results.ts'
import type { EvaluationResults } from './run/evaluation-results.ts'
import { type SampleRecord, replaceFile } from './run/sample-log.ts'
import { inStoredPixels } from './run/stored-pixels.ts'

const Line = z.union([
  z.strictObject({ id: z.string(), response: z.string() }),
  z.strictObject({ id: z.string(), labels: z.array(z.string()) }),
  z.strictObject({ id: z.string(), probabilities: z.record(z.string(), z.number().min(0).max(1)) }),
])

/** What another tool answered to one sample: its words, its labels, or a probability for each label. */
export type Prediction = z.output<typeof Line>

/** What is scored. */
export interface ScorePredictionsOptions extends Omit<
  EvaluateOptions,
  'policy' | 'sampling' | 'mode' | 'batchSize' | 'concurrency' | 'scoreLabels' | 'grammarOf'
> {
  /** JSON lines, as `Prediction`. */
  readonly file: string
  /** How the predictions are called in reports. */
  readonly name: string
  /** What becomes of samples without a prediction: `refuse` (default), left out, or counted as wrong. */
  readonly onMissing?: 'refuse' | 'exclude' | 'wrong'
}

const sampling = { temperature: 0, topP: 1, maxNewTokens: 0, seed: 0 } as const

/**
 * Scores answers that were written elsewhere, and leaves what `evaluate` leaves. Everything is checked before anything is
 * written.
 *
 * @throws EVAL_PREDICTIONS_INVALID, EVAL_PREDICTIONS_UNKNOWN, EVAL_PREDICTIONS_MISSING, EVAL_NO_SAMPLES, and what the
 * samples' readers throw
 */
export async function scorePredictions(options: ScorePredictionsOptions): Promise<EvaluationResults> {
  const { samples, outDir, name, file, onMissing = 'refuse' } = options
  if (samples.length === 0) throw evalErrors.NO_SAMPLES({})
  const predictions = await readPredictions(file, samples)
  const missing = samples.filter(({ id }) => !predictions.has(id))
  const shownFile = path.basename(file)
  if (missing.length > 0 && onMissing === 'refuse')
    throw evalErrors.PREDICTIONS_MISSING({ file: shownFile, count: missing.length, first: missing[0]!.id }) // not empty
  const evaluated: EvaluateOptions = { ...options, policy: { info: { name }, generate: neverAsked } }
  const { records, failures } = await recordsOf(predictions, evaluated)
  const left = missing.map(({ id }) => ({ id, code: 'EVAL_PREDICTIONS_MISSING', message: 'It has no prediction.' }))
  await mkdir(outDir, { recursive: true })
  const lines = records.map(record => `${JSON.stringify(record)}\n`).join('')
  await replaceFile(path.join(outDir, 'samples.jsonl'), lines)
  return writeResults(
    { ...evaluated, onFailure: onMissing === 'wrong' ? 'wrong' : (options.onFailure ?? 'exclude') },
    { records, failures: [...failures, ...left], sampling, mode: 'predictions' },
  )
}

// Scoring asks no policy; the type of an evaluation wants one.
async function* neverAsked(): AsyncGenerator<never> {}

/** @throws EVAL_PREDICTIONS_INVALID, EVAL_PREDICTIONS_UNKNOWN */
async function readPredictions(file: string, samples: readonly Sample[]): Promise<Map<string, Prediction>> {
  const shown = path.basename(file)
  const known = new Map(samples.map(sample => [sample.id, sample]))
  const predictions = new Map<string, Prediction>()
  const unknown: string[] = []
  for (const [index, text] of (await readFile(file, 'utf8')).split('\n').entries()) {
    if (text.trim() === '') continue
    const bad = (problem: string, cause?: unknown): Error =>
      evalErrors.PREDICTIONS_INVALID({ file: shown, line: index + 1, problem }, { cause })
    const prediction = parseLine(text, bad)
    const sample = known.get(prediction.id)
    if (!sample) unknown.push(prediction.id)
    else if ('probabilities' in prediction) checkProbabilities(prediction.probabilities, sample, bad)
    if (predictions.has(prediction.id)) throw bad(`predicts "${prediction.id}" a second time`)
    predictions.set(prediction.id, prediction)
  }
  const [first] = unknown
  if (first !== undefined) throw evalErrors.PREDICTIONS_UNKNOWN({ file: shown, count: unknown.length, first })
  return predictions
}

type Bad = (problem: string, cause?: unknown) => Error

function parseLine(text: string, bad: Bad): Prediction {
  try {
    return Line.parse(JSON.parse(text))
  } catch (cause) {
    throw bad('is no prediction', cause)
  }
}

function checkProbabilities(probabilities: Readonly<Record<string, number>>, { labels }: Sample, bad: Bad): void {
  const missing = labels.find(label => !Object.hasOwn(probabilities, label))
  if (missing !== undefined) throw bad(`has no probability for the label "${missing}"`)
  const unknown = Object.keys(probabilities).find(label => !labels.includes(label))
  if (unknown !== undefined) throw bad(`has a probability for "${unknown}", which is not on the list`)
}

async function recordsOf(
  predictions: ReadonlyMap<string, Prediction>,
  options: EvaluateOptions,
): Promise<{ readonly records: SampleRecord[]; readonly failures: readonly FailedSample[] }> {
  const { samples, maxFailureShare, onError } = options
  const ledger = new FailureLedger({
    total: samples.length,
    ...(maxFailureShare !== undefined && { maxShare: maxFailureShare }),
  })
  const records: SampleRecord[] = []
  for (const sample of samples) {
    const prediction = predictions.get(sample.id)
    if (!prediction) continue
    const work = (): Promise<SampleRecord> => predictedRecord(sample, prediction, options)
    const record = await (onError === 'skip' ? ledger.attempt(sample.id, work) : work())
    if (record) records.push(record)
  }
  return { records, failures: ledger.failed }
}

async function predictedRecord(
  sample: Sample,
  prediction: Prediction,
  options: EvaluateOptions,
): Promise<SampleRecord> {
  const pending = { sample, key: keyOf(sample, options, sampling) }
  if ('probabilities' in prediction) {
    const probabilities = sample.labels.map(label => prediction.probabilities[label] ?? 0)
    return { ...recordOfProbabilities(pending, { probabilities, seconds: 0, options }), finish: 'predicted' }
  }
  const text = 'response' in prediction ? prediction.response : `\\boxed{${prediction.labels.join(', ')}}`
  const presented = await presentSample(sample)
  const parsed = inStoredPixels(
    parseResponse(text, sample),
    presented.pictureSizes,
    options.seenSize ?? (stored => stored),
  )
  const labels = 'labels' in prediction ? [...prediction.labels] : parsed.labels
  const completion = { text, finish: 'predicted', tokenIds: [] }
  return recordOf({ ...pending, presented }, completion, { parsed: { ...parsed, labels }, seconds: 0, options })
}

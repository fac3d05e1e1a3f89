import { createReadStream } from 'node:fs'
import { mkdir, open } from 'node:fs/promises'
import { writeWhole } from '@qoq-med/whole-file'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { FailureLedger, presentSample, type FailedSample, type Sample } from '@qoq-med/data-climb'
import { createVocabulary, parseResponse } from '@qoq-med/rewards'
import { z } from 'zod'
import { evalErrors } from './errors.ts'
import { keyOf, recordOf, recordOfLabels, recordOfProbabilities } from './run/answer-samples.ts'
import type { EvaluateOptions } from './run/evaluate-options.ts'
import { withEvaluationLock } from './run/evaluation-lock.ts'
import { keepSettings, requireSettings } from './run/evaluation-settings.ts'
import type { EvaluationResults } from './run/evaluation-results.ts'
import { readSampleLog, type SampleRecord } from './run/sample-log.ts'
import { inStoredPixels } from './run/stored-pixels.ts'
import { writeResults } from './write-results.ts'

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
 * @throws EVAL_PREDICTIONS_INVALID, EVAL_LABEL_UNKNOWN, EVAL_PREDICTIONS_UNKNOWN, EVAL_PREDICTIONS_MISSING, EVAL_NO_SAMPLES,
 * EVAL_SETTINGS_DIFFER, EVAL_RUN_MISMATCH, EVAL_RUN_BUSY, and what the samples' readers throw
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
  if (records.length === 0) throw evalErrors.NO_SAMPLES({})
  const left = missing.map(({ id }) => ({ id, code: 'EVAL_PREDICTIONS_MISSING', message: 'It has no prediction.' }))
  const wrong = [...(options.onFailure === 'wrong' ? failures : []), ...(onMissing === 'wrong' ? left : [])]
  await mkdir(outDir, { recursive: true })
  return withEvaluationLock(outDir, async () => {
    await requireSettings(outDir, options.settings ?? {})
    await writeLog(outDir, records)
    await keepSettings(outDir, options.settings ?? {})
    return writeResults(evaluated, {
      records,
      failures: [...failures, ...left],
      wrong,
      sampling,
      mode: 'predictions',
    })
  })
}

// Scoring asks no policy; the type of an evaluation wants one.
async function* neverAsked(): AsyncGenerator<never> {}

/** Replaces the log of earlier predictions of this name; answers of anything else are kept. @throws EVAL_RUN_MISMATCH */
async function writeLog(outDir: string, records: readonly SampleRecord[]): Promise<void> {
  const file = path.join(outDir, 'samples.jsonl')
  const own = new Set(records.map(({ key }) => key))
  const foreign = [...(await readSampleLog(file)).values()].filter(
    ({ key, finish }) => finish !== 'predicted' && !own.has(key),
  )
  if (foreign.length > 0) throw evalErrors.RUN_MISMATCH({ dir: outDir, records: foreign.length })
  await writeWhole(file, async name => {
    const partial = await open(name, 'w')
    try {
      for (const record of records) await partial.write(`${JSON.stringify(record)}\n`)
    } finally {
      await partial.close()
    }
  })
}

/** @throws EVAL_PREDICTIONS_INVALID, EVAL_LABEL_UNKNOWN, EVAL_PREDICTIONS_UNKNOWN */
async function readPredictions(file: string, samples: readonly Sample[]): Promise<Map<string, Prediction>> {
  const shown = path.basename(file)
  const known = new Map(samples.map(sample => [sample.id, sample]))
  const predictions = new Map<string, Prediction>()
  const unknown: string[] = []
  let number = 0
  for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
    const place = { file: shown, line: ++number }
    const text = number === 1 && line.startsWith('\uFEFF') ? line.slice(1) : line
    if (text.trim() === '') continue
    const prediction = parseLine(text, place)
    const sample = known.get(prediction.id)
    const checked = sample ? checkedPrediction(prediction, sample, place) : prediction
    if (predictions.has(prediction.id)) throw invalid(place, `predicts "${prediction.id}" a second time`)
    predictions.set(prediction.id, checked)
    if (!sample) unknown.push(prediction.id)
  }
  const [first] = unknown
  if (first !== undefined) throw evalErrors.PREDICTIONS_UNKNOWN({ file: shown, count: unknown.length, first })
  return predictions
}

interface LinePlace {
  readonly file: string
  readonly line: number
}

function invalid(place: LinePlace, problem: string): Error {
  return evalErrors.PREDICTIONS_INVALID({ ...place, problem })
}

/** What does not fit is told by its place alone: a cause would quote the line. */
function parseLine(text: string, place: LinePlace): Prediction {
  let parsed: Prediction | undefined
  try {
    parsed = Line.safeParse(JSON.parse(text)).data
  } catch {
    parsed = undefined
  }
  if (parsed === undefined) throw invalid(place, 'is no prediction')
  return parsed
}

/** A prediction with its labels in the spelling of the list. @throws EVAL_LABEL_UNKNOWN, EVAL_PREDICTIONS_INVALID */
function checkedPrediction(prediction: Prediction, sample: Sample, place: LinePlace): Prediction {
  if ('labels' in prediction) {
    const vocabulary = createVocabulary(sample)
    const labels = prediction.labels.map(label => {
      const found = vocabulary.find(label)
      if (found === undefined) throw evalErrors.LABEL_UNKNOWN({ ...place, label, labels: sample.labels })
      return found
    })
    return { ...prediction, labels }
  }
  if ('probabilities' in prediction) checkProbabilities(prediction.probabilities, sample, place)
  return prediction
}

function checkProbabilities(
  probabilities: Readonly<Record<string, number>>,
  { labels }: Sample,
  place: LinePlace,
): void {
  const missing = labels.find(label => !Object.hasOwn(probabilities, label))
  if (missing !== undefined) throw invalid(place, `has no probability for the label "${missing}"`)
  const unknown = Object.keys(probabilities).find(label => !labels.includes(label))
  if (unknown !== undefined) throw evalErrors.LABEL_UNKNOWN({ ...place, label: unknown, labels })
}

async function recordsOf(
  predictions: ReadonlyMap<string, Prediction>,
  options: EvaluateOptions,
): Promise<{ readonly records: SampleRecord[]; readonly failures: readonly FailedSample[] }> {
  const { samples, maxFailureShare, onError, onProgress, signal } = options
  const ledger = new FailureLedger({
    total: samples.length,
    ...(maxFailureShare !== undefined && { maxShare: maxFailureShare }),
  })
  const records: SampleRecord[] = []
  for (const sample of samples) {
    signal?.throwIfAborted()
    const prediction = predictions.get(sample.id)
    if (!prediction) continue
    const work = (): Promise<SampleRecord> => predictedRecord(sample, prediction, options)
    const record = await (onError === 'skip' ? ledger.attempt(sample.id, work) : work())
    if (record) records.push(record)
    onProgress?.({ done: records.length, total: samples.length, resumed: 0, failed: ledger.failed.length })
  }
  return { records, failures: ledger.failed }
}

/** Media are decoded for responses alone: labels and probabilities have no boxes to be compared. */
async function predictedRecord(
  sample: Sample,
  prediction: Prediction,
  options: EvaluateOptions,
): Promise<SampleRecord> {
  const pending = { sample, key: keyOf(sample, options, sampling) }
  if ('probabilities' in prediction) {
    const probabilities = sample.labels.map(label => prediction.probabilities[label]!) // checked
    return { ...recordOfProbabilities(pending, { probabilities, seconds: 0 }), finish: 'predicted' }
  }
  if ('labels' in prediction)
    return { ...recordOfLabels(pending, { labels: prediction.labels, seconds: 0 }), finish: 'predicted' }
  const presented = await presentSample(sample)
  const parsed = parseResponse(prediction.response, sample)
  const stored = inStoredPixels(parsed, presented.pictureSizes, options.seenSize ?? (size => size))
  const completion = { text: prediction.response, finish: 'predicted', tokenIds: [] }
  return recordOf({ ...pending, presented }, completion, { parsed: stored, seconds: 0 })
}

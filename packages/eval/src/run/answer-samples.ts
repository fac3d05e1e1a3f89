import { isHintedError } from '@qoq-med/errors'
import { FailureLedger, presentSample, type FailedSample, type PresentedSample, type Sample } from '@qoq-med/data-climb'
import { iou, parseResponse, type ParsedResponse } from '@qoq-med/rewards'
import path from 'node:path'
import { evalErrors } from '../errors.ts'
import type { EvaluateOptions, EvaluationSampling } from './evaluate-options.ts'
import { keepSettings } from './evaluation-settings.ts'
import type { FinishedAnswer, PromptRequest } from './evaluated-policy.ts'
import { jsonHash } from './json-hash.ts'
import { inStoredPixels } from './stored-pixels.ts'
import { inLanes } from './in-lanes.ts'
import { likeliestLabels, withInputs } from './answer-mode.ts'
import { appendSample, mendLog, readSampleLog, type SampleRecord } from './sample-log.ts'

/** What a policy answered, and what it could not be asked. */
export interface AnsweredSamples {
  readonly records: readonly SampleRecord[]
  readonly failures: readonly FailedSample[]
}

/**
 * Asks a policy every sample that an earlier run has not asked; answers are appended to samples.jsonl as they come.
 *
 * @throws EVAL_RUN_MISMATCH, EVAL_LOG_UNREADABLE, EVAL_ANSWER_MISSING, DATA_TOO_MANY_FAILURES
 */
export async function answerSamples(options: EvaluateOptions, sampling: EvaluationSampling): Promise<AnsweredSamples> {
  const { samples, outDir, batchSize = 16, concurrency, onProgress, signal } = options
  const file = path.join(outDir, 'samples.jsonl')
  await mendLog(file)
  const known = await readSampleLog(file)
  const keys = samples.map(sample => keyOf(sample, options, sampling))
  const own = new Set(keys)
  const foreign = [...known.keys()].filter(key => !own.has(key)).length
  if (foreign > 0) throw evalErrors.RUN_MISMATCH({ dir: outDir, records: foreign })
  const pending = samples.flatMap((sample, index) => (known.has(keys[index]!) ? [] : [{ sample, key: keys[index]! }]))
  const ledger = new FailureLedger({
    total: samples.length,
    ...(options.maxFailureShare !== undefined && { maxShare: options.maxFailureShare }),
  })
  const resumed = known.size
  let isKept: Promise<void> | undefined
  const report = (): void =>
    onProgress?.({ done: known.size, total: samples.length, resumed, failed: ledger.failed.length })
  report()
  await inLanes(inBatches(pending, concurrency === undefined ? batchSize : 1), concurrency ?? 1, async batch => {
    if (signal?.aborted === true) return
    for await (const record of answerOrLeaveOut({ pending: batch, options, sampling, ledger })) {
      // Beside the first answer, so that a run that got none leaves nothing.
      await (isKept ??= keepSettings(outDir, options.settings ?? {}))
      await appendSample(file, record)
      known.set(record.key, record)
      report()
    }
  })
  return { records: keys.flatMap(key => known.get(key) ?? []), failures: ledger.failed }
}

function inBatches<Item>(items: readonly Item[], size: number): Item[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size))
}

/** A sample with the key of its answer. */
export interface PendingSample {
  readonly sample: Sample
  readonly key: string
}

interface Batch {
  readonly pending: readonly PendingSample[]
  readonly options: EvaluateOptions
  readonly sampling: EvaluationSampling
  readonly ledger: FailureLedger
}

/** A sample that does not decode is left out by itself; where the policy fails, its batch is asked one by one. */
async function* answerOrLeaveOut(batch: Batch): AsyncGenerator<SampleRecord> {
  const { options, ledger } = batch
  const shown: ShownSample[] = []
  for (const pending of batch.pending) {
    const present = () => presentSample(withInputs(pending.sample, options.inputs ?? 'full'))
    const presented = await (options.onError === 'skip' ? ledger.attempt(pending.sample.id, present) : present())
    if (presented) shown.push({ ...pending, presented })
  }
  const answered = new Set<string>()
  try {
    for await (const record of answerBatch(shown, batch)) {
      answered.add(record.key)
      yield record
    }
  } catch (error) {
    if (options.onError !== 'skip' || !isOfSample(error)) throw error
    const left = shown.filter(({ key }) => !answered.has(key))
    const [only] = left
    if (shown.length === 1 && only) {
      await ledger.attempt(only.sample.id, () => Promise.reject(error)) // it was asked alone: it is its own failure
      return
    }
    for (const one of left) {
      const ask = async () => {
        const records: SampleRecord[] = []
        for await (const record of answerBatch([one], batch)) records.push(record)
        return records
      }
      yield* (await ledger.attempt(one.sample.id, ask)) ?? []
    }
  }
}

/** Failures of the policy as a whole, which no other sample would escape. */
const policyFailures: ReadonlySet<string> = new Set([
  'EVAL_ANSWER_MISSING',
  'EVAL_SCORES_MISSING',
  'MODEL_POLICY_CLOSED',
  'MODEL_REMOTE_KEY',
  'MODEL_REMOTE_CIRCUIT',
  'MODEL_REMOTE_ECG',
  'MODEL_REMOTE_UNSUPPORTED',
])

function isOfSample(error: unknown): boolean {
  return isHintedError(error) && !policyFailures.has(error.code)
}

/** A sample with its media decoded. */
export interface ShownSample extends PendingSample {
  readonly presented: PresentedSample
}

function answerBatch(shown: readonly ShownSample[], batch: Batch): AsyncGenerator<SampleRecord> {
  return batch.options.mode === 'score' ? scoreBatch(shown, batch) : generateBatch(shown, batch)
}

/** Ranks the labels of each sample, without an answer. */
async function* scoreBatch(shown: readonly ShownSample[], { options }: Batch): AsyncGenerator<SampleRecord> {
  const { scoreLabels, policy, signal } = options
  if (!scoreLabels) throw evalErrors.SCORES_MISSING({ policy: policy.info.name })
  for (const one of shown) {
    if (signal?.aborted === true) return
    const started = performance.now()
    const probabilities = await scoreLabels(one.presented.prompt, one.sample.labels)
    if (!probabilities.every(Number.isFinite)) throw evalErrors.SCORES_MISSING({ policy: policy.info.name })
    const seconds = (performance.now() - started) / 1000
    yield recordOfProbabilities(one, { probabilities, seconds })
  }
}

async function* generateBatch(
  shown: readonly ShownSample[],
  { options, sampling }: Batch,
): AsyncGenerator<SampleRecord> {
  const { policy, signal, mode, grammarOf, seenSize = stored => stored } = options
  if (shown.length === 0) return
  const requests: PromptRequest[] = shown.map(({ sample, presented }) => ({
    prompt: presented.prompt,
    ...sampling,
    ...(mode === 'grammar' && grammarOf && { grammar: grammarOf(sample) }),
  }))
  const started = performance.now()
  const open = new Set(shown.keys())
  try {
    for await (const event of policy.generate(requests, signal ? { signal } : {})) {
      const asked = shown[event.request]
      if (event.type !== 'sample-end' || asked === undefined) continue
      open.delete(event.request)
      const seconds = (performance.now() - started) / 1000
      const parsed = parseResponse(event.completion.text, asked.sample)
      yield recordOf(asked, event.completion, {
        parsed: inStoredPixels(parsed, asked.presented.pictureSizes, seenSize),
        seconds,
      })
    }
  } catch (error) {
    if (signal?.aborted !== true) throw error
    return
  }
  const [missing] = open
  if (missing !== undefined && signal?.aborted !== true)
    throw evalErrors.ANSWER_MISSING({ sampleId: shown[missing]!.sample.id, policy: policy.info.name }) // an index of shown
}

/** Fields of a record that do not depend on the answer. */
function sampleFields({
  sample,
  key,
}: PendingSample): Pick<SampleRecord, 'key' | 'sampleId' | 'dataset' | 'domain' | 'patient' | 'question' | 'truth'> {
  return {
    key,
    sampleId: sample.id,
    dataset: sample.dataset,
    domain: sample.domain,
    patient: jsonHash([sample.dataset, sample.patientId]).slice(0, 16),
    question: sample.question,
    truth: [...sample.answer],
  }
}

/** The record of an answer. `parsed` has its boxes in pixels of the pictures as stored. */
export function recordOf(
  shown: ShownSample,
  completion: FinishedAnswer,
  { parsed, seconds }: { readonly parsed: ParsedResponse; readonly seconds: number },
): SampleRecord {
  const spatial = iou(parsed, shown.presented.truth)
  return {
    ...sampleFields(shown),
    response: completion.text,
    finish: completion.finish,
    tokens: completion.tokenIds.length,
    predicted: [...parsed.labels],
    answered: parsed.answer !== undefined && parsed.answer !== '',
    ...(parsed.answer !== undefined && { answer: parsed.answer }),
    boxes: parsed.boxes.map(({ x1, y1, x2, y2, image = 0 }) => [x1, y1, x2, y2, ...(image > 0 ? [image] : [])]),
    problems: parsed.problems.map(({ type }) => type),
    ...('score' in spatial && { iou: spatial.score }),
    seconds,
  }
}

/** The record of labels that were ranked. */
export function recordOfProbabilities(
  pending: PendingSample,
  { probabilities, seconds }: { readonly probabilities: readonly number[]; readonly seconds: number },
): SampleRecord {
  const labels = likeliestLabels(pending.sample, probabilities)
  return { ...recordOfLabels(pending, { labels, seconds }), probabilities: [...probabilities] }
}

/** The record of labels alone, without words or boxes; none of them is an answer, too. */
export function recordOfLabels(
  pending: PendingSample,
  { labels, seconds }: { readonly labels: readonly string[]; readonly seconds: number },
): SampleRecord {
  return {
    ...sampleFields(pending),
    response: '',
    finish: 'scored',
    tokens: 0,
    predicted: [...labels],
    answered: true,
    answer: labels.join(', '),
    boxes: [],
    problems: [],
    seconds,
  }
}

/** Hashes all that an answer depends on. */
export function keyOf(sample: Sample, options: EvaluateOptions, sampling: EvaluationSampling): string {
  const { policy, fingerprint = '', mode = 'generate', inputs = 'full' } = options
  const how = mode === 'generate' && inputs === 'full' ? [] : [mode, inputs]
  return jsonHash([sample.id, sample.question, sample.answer, policy.info.name, fingerprint, sampling, ...how])
}

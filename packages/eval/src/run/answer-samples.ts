import { isHintedError } from '@qoq-med/errors'
import { FailureLedger, presentSample, type FailedSample, type PresentedSample, type Sample } from '@qoq-med/data-climb'
import { iou, parseResponse, type ParsedResponse } from '@qoq-med/rewards'
import path from 'node:path'
import { evalErrors } from '../errors.ts'
import type { EvaluateOptions, EvaluationSampling } from './evaluate.ts'
import type { FinishedAnswer, PromptRequest } from './evaluated-policy.ts'
import { jsonHash } from './json-hash.ts'
import { inStoredPixels } from './stored-pixels.ts'
import { appendSample, readSampleLog, type SampleRecord } from './sample-log.ts'

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
  const { samples, outDir, batchSize = 16, onProgress, signal } = options
  const file = path.join(outDir, 'samples.jsonl')
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
  const report = (): void =>
    onProgress?.({ done: known.size, total: samples.length, resumed, failed: ledger.failed.length })
  report()
  for (let start = 0; start < pending.length; start += batchSize) {
    if (signal?.aborted === true) break
    const batch = { pending: pending.slice(start, start + batchSize), options, sampling, ledger }
    for await (const record of answerOrLeaveOut(batch)) {
      await appendSample(file, record)
      known.set(record.key, record)
      report()
    }
  }
  return { records: keys.flatMap(key => known.get(key) ?? []), failures: ledger.failed }
}

interface PendingSample {
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
    const present = () => presentSample(pending.sample)
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
    for (const one of shown.filter(({ key }) => !answered.has(key))) {
      const ask = async () => {
        const records: SampleRecord[] = []
        for await (const record of answerBatch([one], batch)) records.push(record)
        return records
      }
      yield* (await ledger.attempt(one.sample.id, ask)) ?? []
    }
  }
}

/** A policy that ends without an answer has failed as a whole, not on a sample. */
function isOfSample(error: unknown): boolean {
  return isHintedError(error) && error.code !== 'EVAL_ANSWER_MISSING'
}

interface ShownSample extends PendingSample {
  readonly presented: PresentedSample
}

async function* answerBatch(shown: readonly ShownSample[], { options, sampling }: Batch): AsyncGenerator<SampleRecord> {
  const { policy, signal, seenSize = stored => stored } = options
  if (shown.length === 0) return
  const requests: PromptRequest[] = shown.map(({ presented }) => ({ prompt: presented.prompt, ...sampling }))
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

function recordOf(
  { sample, key, presented: { truth } }: ShownSample,
  completion: FinishedAnswer,
  { parsed, seconds }: { readonly parsed: ParsedResponse; readonly seconds: number },
): SampleRecord {
  const spatial = iou(parsed, truth)
  return {
    key,
    sampleId: sample.id,
    dataset: sample.dataset,
    domain: sample.domain,
    patient: jsonHash([sample.dataset, sample.patientId]).slice(0, 16),
    question: sample.question,
    response: completion.text,
    finish: completion.finish,
    tokens: completion.tokenIds.length,
    truth: [...sample.answer],
    predicted: [...parsed.labels],
    answered: parsed.answer !== undefined && parsed.answer !== '',
    boxes: parsed.boxes.map(({ x1, y1, x2, y2, image = 0 }) => [x1, y1, x2, y2, ...(image > 0 ? [image] : [])]),
    problems: parsed.problems.map(({ type }) => type),
    ...('score' in spatial && { iou: spatial.score }),
    seconds,
  }
}

function keyOf(sample: Sample, { policy, fingerprint = '' }: EvaluateOptions, sampling: EvaluationSampling): string {
  return jsonHash([sample.id, sample.question, sample.answer, policy.info.name, fingerprint, sampling])
}

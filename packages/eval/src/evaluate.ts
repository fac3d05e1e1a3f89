import { mkdir } from 'node:fs/promises'
import { evalErrors } from './errors.ts'
import { answerSamples } from './run/answer-samples.ts'
import type { EvaluateOptions, EvaluationSampling } from './run/evaluate-options.ts'
import { withEvaluationLock } from './run/evaluation-lock.ts'
import { requireSettings } from './run/evaluation-settings.ts'
import type { EvaluationResults } from './run/evaluation-results.ts'
import { writeResults } from './write-results.ts'

const defaultSampling: EvaluationSampling = { temperature: 0, topP: 1, maxNewTokens: 512, seed: 42 }

/**
 * Asks a policy every sample, scores the answers and writes results.json, samples.jsonl, samples.parquet, report.md and report.html. Every answer is
 * kept as soon as it is there; the same call again goes on where the last one stopped.
 *
 * @returns what results.json holds
 * @throws EVAL_NO_SAMPLES, EVAL_SETTINGS_DIFFER, EVAL_RUN_MISMATCH, EVAL_RUN_BUSY, EVAL_LOG_UNREADABLE, EVAL_ABORTED, EVAL_ANSWER_MISSING, EVAL_SCORES_MISSING,
 * DATA_TOO_MANY_FAILURES, and what the policy and the samples' readers throw
 */
export async function evaluate(options: EvaluateOptions): Promise<EvaluationResults> {
  const { samples, outDir, signal, settings = {} } = options
  if (samples.length === 0) throw evalErrors.NO_SAMPLES({})
  const sampling = { ...defaultSampling, ...options.sampling }
  await mkdir(outDir, { recursive: true })
  return withEvaluationLock(outDir, async () => {
    await requireSettings(outDir, settings)
    const answered = await answerSamples(options, sampling)
    if (signal?.aborted === true) throw stopped(options, answered.records.length)
    return writeResults(options, { ...answered, sampling, mode: options.mode ?? 'generate' })
  })
}

function stopped({ samples, outDir }: EvaluateOptions, done: number): Error {
  return evalErrors.ABORTED({ done, total: samples.length, dir: outDir })
}

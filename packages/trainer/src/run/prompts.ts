import type { Encoded } from '@qoq-med/model'
import { preparedBytes, type PreparedSample, type Question, type SamplePreparer } from './prepared-sample.ts'

/** Gives the prompts of questions with their media, in order; a question that stands twice has one prompt. */
export type PromptSource = (questions: readonly Pick<Question, 'sample'>[]) => Promise<Encoded[]>

/** Prompts from a preparer. */
export function promptsFrom(prepare: SamplePreparer): PromptSource {
  return async questions => {
    const prepared = new Map<string, Promise<PreparedSample>>()
    for (const { sample } of questions) if (!prepared.has(sample.id)) prepared.set(sample.id, prepare(sample))
    return Promise.all(questions.map(async ({ sample }) => (await prepared.get(sample.id)!).prompt))
  }
}

/**
 * Prepares questions run by run, as many together as may be in memory: half of what media may take. Whoever takes a run lets go of it before
 * the next.
 */
export async function* preparedRuns(
  prepare: SamplePreparer,
  questions: readonly Pick<Question, 'sample'>[],
  mediaBytes: number,
): AsyncGenerator<{ readonly from: number; readonly prepared: readonly PreparedSample[] }> {
  let [from, bytes] = [0, 0]
  let prepared: PreparedSample[] = []
  for (const [i, { sample }] of questions.entries()) {
    const next = await prepare(sample)
    const size = preparedBytes(next)
    if (prepared.length > 0 && bytes + size > mediaBytes / 2) {
      yield { from, prepared }
      ;[from, bytes, prepared] = [i, 0, []]
    }
    prepared.push(next)
    bytes += size
  }
  if (prepared.length > 0) yield { from, prepared }
}

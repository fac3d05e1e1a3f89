import { expect, test } from 'vitest'
import { modelErrors } from '../errors.ts'
import type { Encoded } from '../prompt/encoded.ts'
import { labelProbabilities, type LabelScorer } from './label-probabilities.ts'

// One token per character, all equally likely.
const policy: LabelScorer = {
  tokenIds: async texts => texts.map(text => Int32Array.from(text, char => char.codePointAt(0) ?? 0)),
  logprobs: async rows => rows.map(({ completion }) => new Float32Array(completion.length).fill(-1)),
}

test.for([
  { answered: '<think>x</think>\\boxed{A}', want: { A: 0.5, B: 0.5 } },
  { answered: '<think>not \\boxed{B}</think>\\boxed{A}', want: { A: 0.5, B: 0.5 } },
  { answered: '<think>perhaps \\boxed{A} or', want: undefined },
  { answered: '<think>perhaps \\boxed{A}</think>', want: undefined },
])('labels have probabilities where the answer has its box: $answered', async ({ answered, want }) => {
  const prompt = {} as Encoded // passed on
  expect(await labelProbabilities(policy, { prompt, answered, labels: ['A', 'B'] })).toEqual(want)
})

/** What comes of scoring that fails. */
async function scoredWith(error: Error): Promise<unknown> {
  const logprobs = async (): Promise<never> => {
    throw error
  }
  const prompt = {} as Encoded // nobody reads it
  return labelProbabilities(
    { ...policy, logprobs },
    { prompt, answered: '<think>x</think>\\boxed{A}', labels: ['A', 'B'] },
  )
}

test('labels have none where one of them has no room', async () => {
  expect(await scoredWith(modelErrors.CONTEXT_TOO_LONG({ tokens: 9, limit: 8 }))).toBeUndefined()
  const closed = modelErrors.POLICY_CLOSED({ operation: 'scoring' })
  await expect(scoredWith(closed)).rejects.toBe(closed)
})

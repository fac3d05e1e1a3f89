import type { Encoded, LocalPolicy } from '@qoq-med/model'
import { expect, test } from 'vitest'
import { labelProbabilities } from './label-probabilities.ts'

// One token per character, all equally likely.
const policy = {
  model: { tokenizer: { encode: (text: string) => Array.from(text, char => char.codePointAt(0) ?? 0) } },
  logprobs: async (rows: readonly { readonly completion: Int32Array }[]) =>
    rows.map(({ completion }) => new Float32Array(completion.length).fill(-1)),
} as unknown as LocalPolicy // the parts that are used

test.for([
  { text: '<think>x</think>\\boxed{A}', want: { A: 0.5, B: 0.5 } },
  { text: '<think>not \\boxed{B}</think>\\boxed{A}', want: { A: 0.5, B: 0.5 } },
  { text: '<think>perhaps \\boxed{A} or', want: undefined },
  { text: '<think>perhaps \\boxed{A}</think>', want: undefined },
])('labels have probabilities where the answer has its box: $text', async ({ text, want }) => {
  const prompt = {} as Encoded // passed on
  expect(await labelProbabilities(policy, prompt, text, ['A', 'B'])).toEqual(want)
})

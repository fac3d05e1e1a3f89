import type { Encoded, LocalPolicy } from '@qoq-med/model'

/**
 * How likely each label is where the answer has its box: the mean log-probability of the label's tokens and the closing
 * brace, as a softmax over the list. Where several labels may apply it is that of the first.
 *
 * @param answered the answer's text, in the form of `answerGrammar`
 * @returns probabilities by label, which sum to 1; nothing where the answer was cut off before its box
 */
export async function labelProbabilities(
  policy: LocalPolicy,
  prompt: Encoded,
  answered: string,
  labels: readonly string[],
  signal?: AbortSignal,
): Promise<Readonly<Record<string, number>> | undefined> {
  const opening = '\\boxed{'
  const end = answered.indexOf('</think>')
  const at = end < 0 ? -1 : answered.indexOf(opening, end) // a box in the reasoning is a draft
  if (at < 0) return undefined
  const head = answered.slice(0, at + opening.length)
  const { tokenizer } = policy.model
  const completions = labels.map(label => Int32Array.from(tokenizer.encode(`${head}${label}}`)))
  const logprobs = await policy.logprobs(
    completions.map(completion => ({ prompt, completion })),
    { signal },
  )
  const { labelShares } = await import('@qoq-med/model')
  const shares = labelShares(completions.map((tokenIds, i) => ({ tokenIds, logprobs: logprobs[i]! }))) // one for each
  return Object.fromEntries(labels.map((label, i) => [label, shares[i]!])) // one share per label
}

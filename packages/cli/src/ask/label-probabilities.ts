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
): Promise<Readonly<Record<string, number>> | undefined> {
  const opening = '\\boxed{'
  const end = answered.indexOf('</think>')
  const at = end < 0 ? -1 : answered.indexOf(opening, end) // a box in the reasoning is a draft
  if (at < 0) return undefined
  const head = answered.slice(0, at + opening.length)
  const { tokenizer } = policy.model
  const completions = labels.map(label => Int32Array.from(tokenizer.encode(`${head}${label}}`)))
  const shared = commonLength(completions)
  const logprobs = await policy.logprobs(completions.map(completion => ({ prompt, completion })))
  const scores = logprobs.map(values => mean(values.subarray(Math.min(shared, values.length - 1))))
  const highest = Math.max(...scores)
  const weights = scores.map(score => Math.exp(score - highest))
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  return Object.fromEntries(labels.map((label, i) => [label, weights[i]! / total])) // one weight per label
}

/** Tokens that all sequences begin with. */
function commonLength([first = new Int32Array(), ...others]: readonly Int32Array[]): number {
  const end = first.findIndex((token, i) => others.some(other => other[i] !== token))
  return end < 0 ? first.length : end
}

function mean(values: Float32Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

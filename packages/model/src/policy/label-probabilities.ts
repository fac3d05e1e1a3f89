import { isHintedError } from '@qoq-med/errors'
import type { Policy, Sequence } from './policy.ts'
import { labelShares } from '../scoring/label-shares.ts'

/** What label scoring needs of a policy. `LocalPolicy` is one as it stands. */
export type LabelScorer = Required<Pick<Policy, 'tokenIds' | 'logprobs'>>

/** An answer whose labels are scored. */
export interface AnsweredLabels {
  readonly prompt: Sequence['prompt']
  /** The answer's text, in the form of `reasonedLabels`. */
  readonly answered: string
  readonly labels: readonly string[]
  /** Ends the scoring. */
  readonly signal?: AbortSignal | undefined
}

/**
 * How likely each label is where an answer has its box: the mean log-probability of the label's tokens and the closing brace,
 * as a softmax over the list. Where several labels may apply it is that of the first.
 *
 * @returns probabilities by label, which sum to 1; nothing where the answer was cut off before its box, or where a label has no room
 *   behind what stands before it
 */
export async function labelProbabilities(
  policy: LabelScorer,
  { prompt, answered, labels, signal }: AnsweredLabels,
): Promise<Readonly<Record<string, number>> | undefined> {
  const opening = '\\boxed{'
  const end = answered.indexOf('</think>')
  const at = end < 0 ? -1 : answered.indexOf(opening, end) // a box in the reasoning is a draft
  if (at < 0) return undefined
  const head = answered.slice(0, at + opening.length)
  const completions = await policy.tokenIds(labels.map(label => `${head}${label}}`))
  const sequences = completions.map(completion => ({ prompt, completion }))
  const logprobs = await policy.logprobs(sequences, { signal }).catch(unlessNoRoom)
  if (logprobs === undefined) return undefined
  const shares = labelShares(completions.map((tokenIds, i) => ({ tokenIds, logprobs: logprobs[i]! }))) // one for each
  return Object.fromEntries(labels.map((label, i) => [label, shares[i]!])) // one share per label
}

/** An answer that filled the context stands, also where another label would not have fit. */
function unlessNoRoom(thrown: unknown): undefined {
  if (isHintedError(thrown) && thrown.code === 'MODEL_CONTEXT_TOO_LONG') return undefined
  throw thrown
}

import { labelProbabilities, labelShares, type Message, type Policy, type ScoredCompletion } from '@qoq-med/model'
import { serverErrors } from '../errors.ts'
import { labelScorer } from '../label-scorer.ts'

/** An answer whose labels are scored. */
export interface AnsweredPrompt {
  readonly messages: readonly Message[]
  readonly answered: string
  readonly labels: readonly string[]
  readonly signal: AbortSignal
}

/** A policy that may score given completions, here by their tokens or at another server, which has the tokenizer. */
export interface ScoringPolicy extends Policy {
  score?(
    prompt: readonly Message[],
    completions: readonly string[],
    options: { readonly signal: AbortSignal },
  ): Promise<readonly ScoredCompletion[]>
}

/**
 * How likely each label is in the box of an answer, beside the others; nothing where the answer has no box.
 *
 * @throws SERVER_SCORE_UNSUPPORTED for a policy that cannot score
 */
export async function answerProbabilities(
  policy: ScoringPolicy,
  { messages, answered, labels, signal }: AnsweredPrompt,
): Promise<Readonly<Record<string, number>> | undefined> {
  if (labels.length < 2) return undefined
  const scorer = labelScorer(policy)
  if (scorer) return labelProbabilities(scorer, { prompt: messages, answered, labels, signal })
  if (!policy.score) throw serverErrors.SCORE_UNSUPPORTED({})
  const box = /^[^]*?<\/think>[^]*?\\boxed\{/.exec(answered)?.[0]
  if (box === undefined) return undefined
  const completions = labels.map(label => `${box}${label}}`)
  const shares = labelShares(await policy.score(messages, completions, { signal }))
  return Object.fromEntries(labels.map((label, i) => [label, shares[i]!])) // one share per label
}

import type { LabelScorer, Policy } from '@qoq-med/model'

/** What of a policy scores completions by their tokens; nothing where it does not know the model's tokens. */
export function labelScorer(policy: Policy): LabelScorer | undefined {
  if (!policy.logprobs || !policy.tokenIds) return undefined
  return { tokenIds: policy.tokenIds.bind(policy), logprobs: policy.logprobs.bind(policy) }
}

import type { GenerateEvent, Policy, TokenLogprob } from '@qoq-med/model'

/** A token with its log-probability, as OpenAI writes it. */
export interface ChatTokenLogprob {
  /** The token's text; half a character becomes U+FFFD, `bytes` has it whole. */
  readonly token: string
  readonly logprob: number
  readonly bytes: readonly number[] | null
}

/** A token of an answer with the likeliest ones at its place. */
export interface ChatLogprob extends ChatTokenLogprob {
  readonly top_logprobs: readonly ChatTokenLogprob[]
}

/** Describes a token of an answer; the end token of an answer is one too. */
export function chatLogprob(
  { token, text, top }: Extract<GenerateEvent, { type: 'token' }>,
  policy: Policy,
): ChatLogprob {
  return {
    ...describe(token, policy, text),
    top_logprobs: top.map(one => describe(one, policy, `token ${one.tokenId}`)),
  }
}

function describe({ tokenId, logprob }: TokenLogprob, policy: Policy, otherwise: string): ChatTokenLogprob {
  const bytes = policy.tokenBytes?.(tokenId)
  if (bytes === undefined) return { token: otherwise, logprob, bytes: null }
  return { token: new TextDecoder().decode(bytes), logprob, bytes: Array.from(bytes) }
}

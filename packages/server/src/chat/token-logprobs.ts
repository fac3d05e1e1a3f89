import type { GenerateEvent, TokenLogprob } from '@qoq-med/model'
import type { ServedPolicy } from '../served-policy.ts'

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
  policy: ServedPolicy,
): ChatLogprob {
  return {
    ...describe(token, policy, text),
    top_logprobs: top.map(one => describe(one, policy, `token ${one.tokenId}`)),
  }
}

function describe({ tokenId, logprob }: TokenLogprob, { model }: ServedPolicy, otherwise: string): ChatTokenLogprob {
  const bytes = model?.tokenizer.bytes(tokenId)
  if (bytes === undefined) return { token: otherwise, logprob, bytes: null }
  return { token: new TextDecoder().decode(bytes), logprob, bytes: Array.from(bytes) }
}

import type { ImageProcessorConfig } from '@qoq-med/encoders'
import type { SentError } from '@qoq-med/errors'
import type { GenerateEvent, GenerateRequest } from '../../generation/generate-request.ts'
import type { PolicyInfo, Sequence } from '../policy.ts'

/** What a thread with a policy is told. `id` names a call, and what is said of it. */
export type PolicyOrder =
  | { readonly type: 'generate'; readonly id: number; readonly requests: readonly GenerateRequest[] }
  | {
      readonly type: 'logprobs'
      readonly id: number
      readonly sequences: readonly Sequence[]
      readonly temperature: number | undefined
    }
  | { readonly type: 'token-ids'; readonly id: number; readonly texts: readonly string[] }
  | { readonly type: 'load'; readonly id: number }
  /** Nobody waits for the call any more. */
  | { readonly type: 'cancel'; readonly id: number }
  /** The last order. In haste nothing that runs is waited for. */
  | { readonly type: 'close'; readonly isHasty: boolean }

/** An order that is answered. */
export type PolicyCall = Extract<PolicyOrder, { readonly id: number }> & {
  readonly type: Exclude<PolicyOrder['type'], 'cancel'>
}

/** What such a thread tells; several of these make one message. */
export type PolicyReport =
  | { readonly type: 'open'; readonly description: PolicyDescription }
  /** It could not be opened, or ended by an error. */
  | { readonly type: 'broken'; readonly error: SentError }
  | { readonly type: 'event'; readonly id: number; readonly event: GenerateEvent }
  /** The call is over. */
  | { readonly type: 'done'; readonly id: number; readonly value: unknown }
  | { readonly type: 'failed'; readonly id: number; readonly error: SentError }

/** What a policy knows without its weights, so that it need not be asked for it. */
export interface PolicyDescription {
  readonly info: PolicyInfo
  readonly imageProcessor: ImageProcessorConfig
  readonly vocabulary: Vocabulary
}

/** The bytes of all tokens, one behind the other. V tokens. */
export interface Vocabulary {
  readonly bytes: Uint8Array
  /** [V + 1] where each begins; the last is the end of all. */
  readonly starts: Int32Array
}

/** Puts a vocabulary together. @param bytesOf gives a token's bytes */
export function joinVocabulary(size: number, bytesOf: (tokenId: number) => Uint8Array): Vocabulary {
  const tokens = Array.from({ length: size }, (_, tokenId) => bytesOf(tokenId))
  const starts = new Int32Array(size + 1)
  tokens.forEach(({ length }, tokenId) => (starts[tokenId + 1] = starts[tokenId]! + length))
  return { bytes: Buffer.concat(tokens), starts }
}

/** The bytes of a token; none of one that there is not. */
export function bytesOfToken({ bytes, starts }: Vocabulary, tokenId: number): Uint8Array {
  return bytes.subarray(starts[tokenId] ?? 0, starts[tokenId + 1] ?? 0)
}

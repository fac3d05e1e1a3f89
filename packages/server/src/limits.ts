import { serverErrors } from './errors.ts'

/** What one request may ask for, and what the server does at once. */
export interface ServerLimits {
  /** Bytes of a body, checked before it is read. */
  readonly bodyBytes: number
  /** Characters of all texts of a chat: they are cut into tokens before their number is known. */
  readonly textCharacters: number
  /** Pictures in a request. */
  readonly images: number
  /** Pixels of all pictures of a request, checked from their headers before they are decoded. */
  readonly imagePixels: number
  /** Samples of all leads of all ECGs of a request. */
  readonly ecgSamples: number
  /** Answers to one prompt (`n`). */
  readonly answers: number
  /** Tokens of an answer (`max_tokens`). */
  readonly newTokens: number
  /** Answers that are written at the same time; more requests are refused with 429. */
  readonly runningAnswers: number
  /** Rows of a reward request, and responses of an advantage request. */
  readonly rows: number
  /** Tokens of all responses of an advantage request, as its `lengths` claim them. */
  readonly tokens: number
}

/** The limits of a server that is given none. */
export const defaultLimits: ServerLimits = {
  bodyBytes: 32 * 2 ** 20,
  textCharacters: 500_000,
  images: 16,
  imagePixels: 50_000_000,
  ecgSamples: 1_000_000,
  answers: 16,
  newTokens: 4096,
  runningAnswers: 64,
  rows: 4096,
  tokens: 2_000_000,
}

/** Refuses what a request asks for beyond a limit. @throws SERVER_LIMIT_EXCEEDED */
export function requireAtMost(limit: number, found: number, what: string): void {
  if (found > limit) throw serverErrors.LIMIT_EXCEEDED({ what, found, limit })
}

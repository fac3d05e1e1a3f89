import { serverErrors } from './errors.ts'

/** What one request may ask for, and what the server does at once. */
export interface ServerLimits {
  /** Bytes of a body, checked before it is read. */
  readonly bodyBytes: number
  /** Bytes of a body of rewards or advantages: batches are large, and are parsed beside the thread that serves. */
  readonly batchBytes: number
  /** Nested brackets of a body: what a chat needs is 8. */
  readonly nesting: number
  /** Brackets that a body opens: each becomes an object or a list, which takes twenty times its room. */
  readonly brackets: number
  /** Messages of a chat. */
  readonly messages: number
  /** Parts of all messages of a chat. */
  readonly parts: number
  /** Keys of `metadata`. */
  readonly metadataKeys: number
  /** Characters of all stop strings together. */
  readonly stopCharacters: number
  /** Leads of an ECG. */
  readonly leads: number
  /** Characters of all texts of a chat: they are cut into tokens before their number is known. */
  readonly textCharacters: number
  /** Pictures in a request. */
  readonly images: number
  /** Pixels of all pictures of a request, checked from their headers before they are decoded. */
  readonly imagePixels: number
  /** Samples of all leads of all ECGs of a request, as they are sent and as they are resampled. */
  readonly ecgSamples: number
  /** Lowest sampling rate of an ECG in hertz: below it there is no QRS complex to see, and much to make up. */
  readonly ecgMinHz: number
  /** Files in a request: a series of slices has many. */
  readonly files: number
  /** Characters of one such file, as base64. */
  readonly fileCharacters: number
  /** Bytes of all files of a form. */
  readonly uploadBytes: number
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
  batchBytes: 64 * 2 ** 20,
  nesting: 64,
  brackets: 2 ** 20,
  messages: 1000,
  parts: 2000,
  metadataKeys: 64,
  stopCharacters: 2000,
  leads: 64,
  textCharacters: 500_000,
  images: 16,
  imagePixels: 50_000_000,
  ecgSamples: 1_000_000,
  ecgMinHz: 50,
  files: 512,
  fileCharacters: 30 * 2 ** 20,
  uploadBytes: 256 * 2 ** 20,
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

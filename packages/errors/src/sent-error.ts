import { HintedError, isHintedError } from './hinted-error.ts'

/** An error in a message to another thread or process, on the way to which errors lose their class. Plain data. */
export interface SentError {
  readonly message: string
  /** Code, hint and status of a `HintedError`. */
  readonly hinted?: { readonly code: string; readonly hint: string; readonly status: number | undefined }
  /** Where an error without a code was thrown. */
  readonly stack?: string | undefined
}

/** What to send of something that was thrown; its cause stays behind. */
export function sentError(thrown: unknown): SentError {
  if (isHintedError(thrown)) {
    const { message, code, hint, status } = thrown
    return { message, hinted: { code, hint, status } }
  }
  return thrown instanceof Error ? { message: thrown.message, stack: thrown.stack } : { message: String(thrown) }
}

/** The error that was sent: a `HintedError` again, or an `Error` with the stack of where it was thrown. */
export function receivedError({ message, hinted, stack }: SentError): Error {
  if (hinted) return new HintedError(hinted.code, message, hinted.hint, { status: hinted.status })
  const error = new Error(message)
  if (stack !== undefined) error.stack = stack
  return error
}

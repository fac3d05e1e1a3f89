/** An error that is part of the API: a permanent code, a sentence that says what happened, and the next step. */
export class HintedError extends Error {
  /** Permanent identifier, such as `DATA_LEAD_MISSING`. */
  readonly code: string
  /** What to do next, as a sentence. */
  readonly hint: string
  /** The HTTP status of a request that ends with it, where its row names one. */
  readonly status: number | undefined

  constructor(
    code: string,
    message: string,
    hint: string,
    options: { cause?: unknown; status?: number | undefined } = {},
  ) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined)
    this.name = 'HintedError'
    this.code = code
    this.hint = hint
    this.status = options.status
  }

  /** Plain data for a log, an HTTP body or `--json` output. */
  toJSON(): { code: string; message: string; hint: string } {
    return { code: this.code, message: this.message, hint: this.hint }
  }
}

/** Tells a `HintedError` from any other value, also across copies of this package. */
export function isHintedError(value: unknown): value is HintedError {
  return value instanceof Error && value.name === 'HintedError' && 'code' in value && 'hint' in value
}

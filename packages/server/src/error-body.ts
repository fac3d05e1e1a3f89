/** The body of a failed request: OpenAI's error object, with the next step. */
export interface ErrorBody {
  readonly error: {
    readonly message: string
    readonly type: 'invalid_request_error' | 'rate_limit_error' | 'server_error'
    readonly code: string
    readonly hint: string
  }
}

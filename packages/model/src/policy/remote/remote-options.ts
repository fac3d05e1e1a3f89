import type { RemoteMedia } from './chat-body.ts'

/** Where a remote policy is, and how it is asked. */
export interface RemotePolicyOptions extends Partial<RemoteMedia> {
  /** The address before `/chat/completions`, such as `http://localhost:8000/v1`. Keys do not belong into it. */
  readonly url: string
  /** The model's name at the server. */
  readonly model: string
  /** Sent as a bearer token; take it from the environment or a file, never from a command line. */
  readonly apiKey?: string
  /** Requests at a time; 4 by default. */
  readonly concurrency?: number
  /** Requests a minute; as fast as they come by default. */
  readonly requestsPerMinute?: number
  /** Milliseconds for one try of a request, its whole answer included; half an hour by default: a model may be slow. */
  readonly deadlineMs?: number
  /** Tries after the first one; 6 by default. */
  readonly retries?: number
  /** About how long the first wait between tries is, in milliseconds; 1,000 by default, and every further one doubles. */
  readonly retryBaseMs?: number
  /** The longest wait between tries in milliseconds, and the longest that a server may ask for; two minutes by default. */
  readonly retryLongestMs?: number
  /**
   * Requests in a row that used up all their tries, after which nothing more is sent; 3 by default. A server that says when
   * to come back is asked to wait for, not given up.
   */
  readonly circuitFailures?: number
  /** The field that bounds the tokens of an answer; some hosted models want the second. Default `max_tokens`. */
  readonly tokenLimitField?: 'max_tokens' | 'max_completion_tokens'
  /** Asks for streams (default), so that a cut answer is told from a whole one early. */
  readonly stream?: boolean
  /**
   * Passes text on as it comes. A stream that is cut after its first text is then an error, since what was passed on cannot
   * be taken back. By default an answer comes as a whole.
   */
  readonly liveTokens?: boolean
  /** Fields that a server wants beside OpenAI's. */
  readonly extra?: Readonly<Record<string, unknown>>
  /** Longest sequence in tokens that the server takes, where it is known. */
  readonly maxPositions?: number
  /** What tokens cost, in a currency of yours for a million of them; `use.cost` then says what was spent. */
  readonly prices?: { readonly promptMillion: number; readonly completionMillion: number }
  /** Called before every wait; `reason` is free of the request's words. */
  readonly onRetry?: (reason: string) => void
  /** Draws in [0, 1) for the jitter of waits. */
  readonly random?: () => number
}

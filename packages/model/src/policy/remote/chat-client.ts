import { modelErrors } from '../../errors.ts'
import type { ScoredCompletion } from '../../scoring/label-shares.ts'
import {
  ChunkReader,
  readScores,
  readWhole,
  type RemoteAnswers,
  type RemotePiece,
  UnusableAnswer,
} from './chat-answer.ts'
import { type ChatBody, textsOf } from './chat-body.ts'
import type { RemotePolicyOptions } from './remote-options.ts'
import { type Attempt, isTransient, retryAfterMs, tryAgain } from './retry.ts'
import { serverEvents } from './server-events.ts'
import { serverMessage } from './server-message.ts'

/** The longest response that is read: a thousand times a long answer. */
const maxResponseBytes = 64 * 2 ** 20

/** How one request is asked. */
export interface AskOptions {
  /** Answers that must come. */
  readonly samples: number
  readonly signal: AbortSignal
  /** Takes pieces of text as they come. */
  readonly onPiece?: (piece: RemotePiece) => void
}

/** Sends chat completions to one server, with retries, a deadline for each try, and a circuit that opens after failures. */
export class ChatClient {
  readonly #options: RemotePolicyOptions
  readonly #url: URL
  readonly #scoreUrl: URL
  #givenUpInARow = 0

  /** @throws MODEL_REMOTE_URL, MODEL_REMOTE_KEY_TEXT */
  constructor(options: RemotePolicyOptions) {
    this.#options = options
    this.#url = endpointUrl(options.url, 'chat/completions')
    this.#scoreUrl = endpointUrl(options.url, 'score')
    if (options.apiKey !== undefined && !/^[\x21-\x7e]*$/.test(options.apiKey)) throw modelErrors.REMOTE_KEY_TEXT({})
  }

  /**
   * Asks until there is a whole answer, or none can be hoped for.
   *
   * @throws MODEL_REMOTE_KEY, MODEL_REMOTE_REFUSED, MODEL_REMOTE_UNAVAILABLE, MODEL_REMOTE_CIRCUIT, MODEL_REMOTE_CUT
   */
  async ask(body: ChatBody, asked: AskOptions): Promise<RemoteAnswers> {
    let isPassedOn = false
    const { onPiece: passOn } = asked
    const onPiece =
      passOn &&
      ((piece: RemotePiece): void => {
        isPassedOn = true
        passOn(piece)
      })
    return this.#post(body, {
      url: this.#url,
      signal: asked.signal,
      read: response => readAnswers(response, { ...asked, ...(onPiece && { onPiece }) }),
      isPassedOn: () => isPassedOn,
    })
  }

  /**
   * Asks a server of this project for the log-probabilities of given completions.
   *
   * @returns as many as completions
   * @throws as `ask`
   */
  async score(body: ChatBody, completions: readonly string[], signal: AbortSignal): Promise<ScoredCompletion[]> {
    return this.#post(
      { ...body, completions },
      {
        url: this.#scoreUrl,
        signal,
        read: async response => readScores(await boundedJson(response), completions.length),
        isPassedOn: () => false,
      },
    )
  }

  async #post<Value>(body: ChatBody, target: Target<Value>): Promise<Value> {
    const { retries = 6, retryBaseMs = 1000, retryLongestMs = 120_000, random = Math.random, onRetry } = this.#options
    const waits = { retries, baseMs: retryBaseMs, longestMs: retryLongestMs, random }
    const attempt = async (): Promise<Attempt<Value>> => {
      this.#requireClosedCircuit()
      const outcome = await this.#attempt(body, target)
      if (outcome.type === 'again') onRetry?.(outcome.reason)
      return outcome
    }
    const tried = await tryAgain(attempt, waits, target.signal)
    if ('value' in tried) {
      this.#givenUpInARow = 0
      return tried.value
    }
    this.#givenUpInARow++
    throw modelErrors.REMOTE_UNAVAILABLE({ host: this.#url.host, ...tried })
  }

  #requireClosedCircuit(): void {
    const { circuitFailures = 3 } = this.#options
    if (this.#givenUpInARow >= circuitFailures)
      throw modelErrors.REMOTE_CIRCUIT({ host: this.#url.host, failures: this.#givenUpInARow })
  }

  async #attempt<Value>(body: ChatBody, { url, signal, read, isPassedOn }: Target<Value>): Promise<Attempt<Value>> {
    const { deadlineMs = 1_800_000, apiKey } = this.#options
    const deadline = AbortSignal.timeout(deadlineMs)
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...(apiKey && { authorization: `Bearer ${apiKey}` }) },
        body: JSON.stringify(body),
        signal: AbortSignal.any([signal, deadline]),
        redirect: 'manual', // a key is sent nowhere else
      })
      if (!response.ok) return await this.#failed(response, body)
      return { type: 'done', value: await read(response) }
    } catch (cause) {
      if (signal.aborted) throw signal.reason
      if (!isPassing(cause, deadline)) throw cause
      const reason = deadline.aborted ? `there was no whole answer in ${deadlineMs / 1000} s` : reasonOf(cause)
      if (isPassedOn()) throw modelErrors.REMOTE_CUT({ host: this.#url.host, reason }, { cause })
      return { type: 'again', reason }
    }
  }

  /** @throws MODEL_REMOTE_KEY, MODEL_REMOTE_REFUSED for a status that will not pass */
  async #failed(response: Response, body: ChatBody): Promise<Attempt<never>> {
    const { status } = response
    const host = this.#url.host
    const secrets = [...textsOf(body), ...(this.#options.apiKey ? [this.#options.apiKey] : [])]
    const said = serverMessage(await beginningOf(response), secrets)
    if (status === 401 || status === 403)
      throw modelErrors.REMOTE_KEY({ host, status, hasKey: Boolean(this.#options.apiKey) })
    const hasPictures = JSON.stringify(body.messages).includes('"image_url"')
    if (!isTransient(status))
      throw modelErrors.REMOTE_REFUSED({ host, status, said, hasPictures, model: this.#options.model })
    const pauseMs = retryAfterMs(response.headers.get('retry-after'), Date.now())
    return { type: 'again', reason: `it answers ${status}`, ...(pauseMs !== undefined && { pauseMs }) }
  }
}

/** Where a body goes, and what is made of the response. */
interface Target<Value> {
  readonly url: URL
  readonly signal: AbortSignal
  readonly read: (response: Response) => Promise<Value>
  /** Whether something of the response was passed on already. */
  readonly isPassedOn: () => boolean
}

/** Bytes of an error's body that are read. */
const maxErrorBytes = 2 ** 16

/** The beginning of a body; the rest of it is not waited for. */
async function beginningOf(response: Response): Promise<string> {
  const pieces: Uint8Array[] = []
  let bytes = 0
  for await (const piece of response.body ?? emptyBody()) {
    pieces.push(piece)
    bytes += piece.length
    if (bytes > maxErrorBytes) break
  }
  return Buffer.concat(pieces).toString('utf8')
}

async function readAnswers(response: Response, { samples, onPiece }: AskOptions): Promise<RemoteAnswers> {
  const isStream = response.headers.get('content-type')?.includes('text/event-stream') ?? false
  if (!isStream) return readWhole(await boundedJson(response), samples)
  const reader = new ChunkReader()
  for await (const document of serverEvents(response.body ?? emptyBody(), maxResponseBytes))
    for (const piece of reader.read(document)) if (piece.text !== '') onPiece?.(piece)
  return reader.end(samples)
}

async function* emptyBody(): AsyncGenerator<Uint8Array> {}

async function boundedJson(response: Response): Promise<unknown> {
  const pieces: Uint8Array[] = []
  let bytes = 0
  for await (const piece of response.body ?? emptyBody()) {
    bytes += piece.length
    if (bytes > maxResponseBytes) throw new UnusableAnswer(`the response is longer than ${maxResponseBytes} bytes`)
    pieces.push(piece)
  }
  try {
    return JSON.parse(Buffer.concat(pieces).toString('utf8'))
  } catch {
    throw new UnusableAnswer('the response is no JSON')
  }
}

/** Whether a failure may pass: no connection, a cut one, a deadline, an answer that is none. */
function isPassing(cause: unknown, deadline: AbortSignal): boolean {
  if (deadline.aborted || cause instanceof UnusableAnswer) return true
  return cause instanceof TypeError && cause.cause !== undefined // fetch's own failures say what they come from
}

function reasonOf(cause: unknown): string {
  if (cause instanceof UnusableAnswer) return cause.message
  const inner = cause instanceof Error ? cause.cause : undefined
  const code = inner instanceof Error && 'code' in inner ? ` (${String(inner.code)})` : ''
  return `the connection failed${code}`
}

function endpointUrl(text: string, path: string): URL {
  const url = URL.parse(`${text.replace(/\/+$/, '')}/${path}`)
  const problem = urlProblem(url)
  if (problem !== undefined || url === null) throw modelErrors.REMOTE_URL({ problem: problem ?? 'is no address' })
  return url
}

function urlProblem(url: URL | null): string | undefined {
  if (url === null || !['http:', 'https:'].includes(url.protocol)) return 'is no http address'
  if (url.username !== '' || url.password !== '') return 'holds a user or a password'
  return url.search === '' && url.hash === '' ? undefined : 'holds a query or a fragment'
}

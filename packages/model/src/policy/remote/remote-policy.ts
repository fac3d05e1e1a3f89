import { defaultImageProcessor, seenSize } from '@qoq-med/encoders'
import type { ImageSize } from '../../prompt/image-size.ts'
import { createEventQueue, type EventQueue } from '../../generation/event-queue.ts'
import type { Completion, GenerateEvent, GenerateRequest, TokenUsage } from '../../generation/generate-request.ts'
import { requireOption } from '../../generation/require-option.ts'
import type { Message } from '../../prompt/message.ts'
import type { ScoredCompletion } from '../../scoring/label-shares.ts'
import type { GenerateOptions, Policy, PolicyInfo } from '../policy.ts'
import type { RemoteAnswer, RemotePiece } from './chat-answer.ts'
import { chatBody, type RemoteMedia } from './chat-body.ts'
import { ChatClient } from './chat-client.ts'
import type { RemotePolicyOptions } from './remote-options.ts'
import { RequestGate } from './request-gate.ts'

/** What a remote policy has used so far. */
export interface RemoteUse extends TokenUsage {
  /** Requests that were answered. */
  readonly requests: number
  /** What the tokens cost by the prices that were given; missing without prices. */
  readonly cost?: number
}

/**
 * A policy behind any endpoint that speaks OpenAI's chat completions: a server of this project, vLLM, SGLang, llama.cpp, a
 * hosted model. What may pass is tried again; what cannot is an error at once.
 *
 * Token ids of answers are -1, and log-probabilities NaN where the server does not tell them.
 */
export class RemotePolicy implements Policy {
  readonly info: PolicyInfo
  readonly #options: RemotePolicyOptions & RemoteMedia
  readonly #gate: RequestGate
  readonly #client: ChatClient
  #use: Omit<RemoteUse, 'cost'> = { requests: 0, promptTokens: 0, completionTokens: 0 }

  /** @throws MODEL_REMOTE_URL for an address that is none or holds a secret, MODEL_REMOTE_KEY_TEXT, MODEL_OPTION_INVALID */
  constructor(options: RemotePolicyOptions) {
    const { model, concurrency = 4, requestsPerMinute, ecgAs = 'refuse', pictures = defaultImageProcessor } = options
    requireOption(Number.isInteger(concurrency) && concurrency > 0, 'concurrency', concurrency, 'a positive integer')
    this.#options = { ...options, ecgAs, pictures }
    this.#gate = new RequestGate({ concurrency, ...(requestsPerMinute !== undefined && { requestsPerMinute }) })
    this.#client = new ChatClient(options)
    const modalities = ['text', 'image', 'video', ...(ecgAs === 'refuse' ? [] : (['ecg'] as const))] as const
    this.info = { name: model, maxPositions: options.maxPositions ?? Number.MAX_SAFE_INTEGER, modalities }
  }

  /** Tokens and requests so far, and their cost where prices are given. */
  get use(): RemoteUse {
    const { prices } = this.#options
    if (!prices) return this.#use
    const { promptTokens, completionTokens } = this.#use
    const cost = (promptTokens * prices.promptMillion + completionTokens * prices.completionMillion) / 1e6
    return { ...this.#use, cost }
  }

  /**
   * The size at which a picture is sent, in pixels: boxes of answers are in pixels of that size.
   *
   * @param stored in pixels of the file
   */
  seenSize(stored: ImageSize): ImageSize {
    const { pictures } = this.#options
    return pictures === 'stored' ? stored : seenSize(stored, pictures)
  }

  /**
   * Asks for answers, a few requests at a time. When one request fails for good the others in flight are ended, too.
   *
   * @throws MODEL_REMOTE_KEY, MODEL_REMOTE_REFUSED, MODEL_REMOTE_UNAVAILABLE, MODEL_REMOTE_CIRCUIT, MODEL_REMOTE_CUT,
   * MODEL_REMOTE_ECG, MODEL_REMOTE_UNSUPPORTED, and the signal's reason
   */
  generate(requests: readonly GenerateRequest[], { signal }: GenerateOptions = {}): AsyncIterable<GenerateEvent> {
    const ending = new AbortController()
    const queue = createEventQueue<GenerateEvent>(() => ending.abort())
    const either = signal ? AbortSignal.any([signal, ending.signal]) : ending.signal
    const asked = requests.map((request, index) =>
      this.#gate.through(() => this.#ask({ request, index, queue, signal: either }), either),
    )
    Promise.all(asked).then(
      () => queue.end(),
      (error: unknown) => queue.fail(signal?.aborted ? signal.reason : error),
    )
    return queue
  }

  /**
   * Log-probabilities of given completions, from a server of this project (`/v1/score`).
   *
   * @returns as many as completions
   * @throws as `generate`; MODEL_REMOTE_REFUSED for a server that has no such route
   */
  async score(
    prompt: readonly Message[],
    completions: readonly string[],
    { signal = new AbortController().signal }: GenerateOptions = {},
  ): Promise<ScoredCompletion[]> {
    const { model } = this.#options
    return this.#gate.through(async () => {
      const { messages } = await chatBody(
        { prompt },
        { ...this.#options, model, stream: false, extra: {}, tokenLimitField: '' },
      )
      return this.#client.score({ model, messages }, completions, signal)
    }, signal)
  }

  /** Nothing is held open between requests. */
  async close(): Promise<void> {}

  async #ask({ request, index, queue, signal }: AskedRequest): Promise<void> {
    signal.throwIfAborted()
    const { stream = true, liveTokens = false, extra = {}, model, tokenLimitField = 'max_tokens' } = this.#options
    const samples = request.samples ?? 1
    const body = await chatBody(request, {
      ...this.#options,
      model,
      stream: stream || liveTokens,
      extra,
      tokenLimitField,
    })
    const onPiece = (piece: RemotePiece): void => queue.push(tokenEvent(index, piece))
    const { answers, usage } = await this.#client.ask(body, {
      samples,
      signal,
      ...(liveTokens && { onPiece }),
    })
    this.#count(usage)
    const counted = Math.ceil((usage?.completionTokens ?? 0) / samples)
    for (const [sample, answer] of answers.entries()) {
      const completion = completionOf(
        answer,
        samples === 1 || answer.logprobs.length === 0 ? counted : answer.logprobs.length,
      )
      const event = {
        type: 'sample-end',
        request: index,
        sample,
        text: liveTokens ? '' : answer.text,
        completion,
      } as const
      queue.push(usage ? { ...event, usage } : event)
    }
  }

  #count(usage: TokenUsage | undefined): void {
    const { requests, promptTokens, completionTokens } = this.#use
    this.#use = {
      requests: requests + 1,
      promptTokens: promptTokens + (usage?.promptTokens ?? 0),
      completionTokens: completionTokens + (usage?.completionTokens ?? 0),
    }
  }
}

interface AskedRequest {
  readonly request: GenerateRequest
  readonly index: number
  readonly queue: EventQueue<GenerateEvent>
  readonly signal: AbortSignal
}

function tokenEvent(request: number, { sample, text, logprob }: RemotePiece): GenerateEvent {
  return { type: 'token', request, sample, text, token: { tokenId: unknownToken, logprob }, top: [] }
}

/** Servers tell texts of tokens, not their ids. */
const unknownToken = -1

function completionOf({ text, finish, logprobs }: RemoteAnswer, tokens: number): Completion {
  const known = logprobs.length > 0
  const length = known ? logprobs.length : tokens
  return {
    tokenIds: new Int32Array(length).fill(unknownToken),
    logprobs: known ? Float32Array.from(logprobs) : new Float32Array(length).fill(Number.NaN),
    text,
    finish,
  }
}

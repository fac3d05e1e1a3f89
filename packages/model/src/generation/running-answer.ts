import type { Completion, Finish, GenerateEvent, GenerateRequest } from '../policy/policy.ts'
import type { Encoded } from '../prompt/encoded.ts'
import type { TokenConstraint } from '../grammar/token-constraint.ts'
import { createStreamDecoder, type StreamDecoder } from '../tokenizer/stream-decoder.ts'
import type { Tokenizer } from '../tokenizer/tokenizer.ts'
import { counterRandom } from './counter-random.ts'
import { sampleToken, topLogprobs } from './sampler.ts'
import { createStopMatcher, type StopMatcher } from './stop-matcher.ts'

/** Which answer, of which prompt. */
export interface AnswerPlace {
  readonly request: number
  readonly sample: number
}

/** What an answer needs beside its request. */
export interface AnswerContext {
  readonly tokenizer: Tokenizer
  readonly endTokenIds: ReadonlySet<number>
  readonly prompt: Encoded
  /** Tokens after which it ends, at least 1. */
  readonly maxNewTokens: number
  readonly constraint?: TokenConstraint | undefined
}

/** One answer while it grows: takes logits, draws tokens, and says what happened. */
export class RunningAnswer {
  readonly #place: AnswerPlace
  readonly #request: GenerateRequest
  readonly #context: AnswerContext
  readonly #seen: Set<number>
  readonly #stream: StreamDecoder
  readonly #stops: StopMatcher
  readonly #tokenIds: number[] = []
  readonly #logprobs: number[] = []
  #grammarState = 0
  #text = ''
  #finish: Finish | undefined

  constructor(place: AnswerPlace, request: GenerateRequest, context: AnswerContext) {
    this.#place = place
    this.#request = request
    this.#context = context
    this.#seen = new Set(request.repetitionPenalty === undefined ? [] : context.prompt.tokenIds)
    this.#stream = createStreamDecoder(context.tokenizer)
    this.#stops = createStopMatcher(request.stop ?? [])
  }

  get isFinished(): boolean {
    return this.#finish !== undefined
  }

  /** The token that goes into the model next, and its position. */
  get newest(): { readonly tokenId: number; readonly position: number } {
    const { tokenIds, ropeDelta } = this.#context.prompt
    return { tokenId: this.#tokenIds.at(-1)!, position: tokenIds.length + this.#tokenIds.length - 1 + ropeDelta }
  }

  /** Draws the next token from logits [V]; a place's draw depends on the seed and the sample alone. */
  accept(logits: Float32Array): GenerateEvent[] {
    const { temperature = 1, seed = 0, topLogprobs: alternatives = 0 } = this.#request
    const uniform = counterRandom(seed, this.#place.sample, this.#tokenIds.length)
    const { constraint, maxNewTokens } = this.#context
    const allowed = constraint?.allowed(this.#grammarState, maxNewTokens - this.#tokenIds.length - 1)
    const token = sampleToken(logits, this.#seen, this.#request, uniform, allowed)
    if (constraint) this.#grammarState = constraint.advance(this.#grammarState, token.tokenId)
    this.#tokenIds.push(token.tokenId)
    this.#logprobs.push(token.logprob)
    if (this.#request.repetitionPenalty !== undefined) this.#seen.add(token.tokenId)
    const { text, stop } = this.#stops.push(this.#stream.push(token.tokenId))
    this.#text += text
    if (this.#context.endTokenIds.has(token.tokenId)) this.#finish = 'end'
    else if (stop !== undefined) this.#finish = 'stop'
    else if (this.#tokenIds.length === maxNewTokens) this.#finish = 'length'
    const top = alternatives > 0 ? topLogprobs(logits, alternatives, temperature) : []
    const event = { type: 'token', ...this.#place, token, text, top } as const
    return this.#finish === undefined ? [event] : [event, this.#end(this.#finish)]
  }

  #end(finish: Finish): GenerateEvent {
    const text = finish === 'stop' ? '' : this.#stops.push(this.#stream.flush()).text + this.#stops.flush()
    this.#text += text
    const completion: Completion = {
      tokenIds: Int32Array.from(this.#tokenIds),
      logprobs: Float32Array.from(this.#logprobs),
      text: this.#text,
      finish,
    }
    return { type: 'sample-end', ...this.#place, text, completion }
  }
}

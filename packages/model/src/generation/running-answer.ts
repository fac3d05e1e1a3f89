import type { Completion, Finish, GenerateEvent, GenerateRequest } from './generate-request.ts'
import type { Encoded } from '../prompt/encoded.ts'
import type { TokenConstraint } from '../grammar/token-constraint.ts'
import { createStreamDecoder, type StreamDecoder } from '../tokenizer/stream-decoder.ts'
import type { Tokenizer } from '../tokenizer/tokenizer.ts'
import { counterRandom } from './counter-random.ts'
import type { NewestToken } from './decode-batch.ts'
import { bestToken, drawToken, isUnlimited, sampleToken, topLogprobs, type SampledToken } from './sampler.ts'
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

/** What a step says of an answer's next token; logits, or what `RunningAnswer.needs` asks for. */
export interface TokenScores {
  /** [V] */
  readonly logits?: Float32Array | undefined
  /** [V] softmax of the logits divided by the temperature. */
  readonly probabilities?: Float32Array | undefined
  /** The largest probability. */
  readonly peak?: number | undefined
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
  get newest(): NewestToken {
    const { tokenIds, ropeDelta } = this.#context.prompt
    const position = tokenIds.length + this.#tokenIds.length - 1 + ropeDelta
    return { tokenId: this.#tokenIds.at(-1)!, position, temperature: this.#request.temperature ?? 1 }
  }

  /** The scores that suffice for its next token; which they are depends on its own request alone. */
  get needs(): readonly (keyof TokenScores)[] {
    const { temperature = 1, topLogprobs: alternatives = 0 } = this.#request
    if (!isUnlimited(this.#request) || alternatives > 0 || this.#context.constraint) return ['logits']
    return temperature === 0 ? ['logits', 'peak'] : ['probabilities']
  }

  /** Draws the next token; a place's draw depends on the seed and the sample alone. */
  accept(scores: TokenScores): GenerateEvent[] {
    const { temperature = 1, topLogprobs: alternatives = 0 } = this.#request
    const { constraint, maxNewTokens } = this.#context
    const token = this.#draw(scores)
    if (constraint) this.#grammarState = constraint.advance(this.#grammarState, token.tokenId)
    this.#tokenIds.push(token.tokenId)
    this.#logprobs.push(token.logprob)
    if (this.#request.repetitionPenalty !== undefined) this.#seen.add(token.tokenId)
    const { text, stop } = this.#stops.push(this.#stream.push(token.tokenId))
    this.#text += text
    if (this.#context.endTokenIds.has(token.tokenId)) this.#finish = 'end'
    else if (stop !== undefined) this.#finish = 'stop'
    else if (this.#tokenIds.length === maxNewTokens) this.#finish = 'length'
    const top = alternatives > 0 ? topLogprobs(scores.logits!, alternatives, temperature) : [] // `needs` asked for logits
    const event = { type: 'token', ...this.#place, token, text, top } as const
    return this.#finish === undefined ? [event] : [event, this.#end(this.#finish)]
  }

  #draw({ logits, probabilities, peak }: TokenScores): SampledToken {
    const { seed = 0 } = this.#request
    if (logits && peak !== undefined) return bestToken(logits, peak)
    const uniform = counterRandom(seed, this.#place.sample, this.#tokenIds.length)
    if (probabilities) return drawToken(probabilities, uniform)
    const { constraint, maxNewTokens } = this.#context
    const allowed = constraint?.allowed(this.#grammarState, maxNewTokens - this.#tokenIds.length - 1)
    return sampleToken(logits!, this.#seen, this.#request, uniform, allowed) // there are logits where nothing else is
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

import type { GenerateEvent, TokenUsage } from '@qoq-med/model'
import type { ErrorBody } from '../error-body.ts'
import { boxField, chatUsage, finishReason, mediaFields, type ChatReport } from './chat-completion.ts'
import { chatLogprob, type ChatLogprob } from './token-logprobs.ts'

/** How a stream is written. */
export interface ChatStreamOptions extends ChatReport {
  readonly includeUsage: boolean
  /** What the client is told of a failure on the way. */
  readonly errorBody: (thrown: unknown) => ErrorBody
}

/**
 * Writes events as server-sent events in OpenAI's form: one chunk per piece of text, `[DONE]` at the end. The status is
 * sent by then, so a failure on the way becomes a last event with the error object, without `[DONE]`.
 */
export async function* chatStream(
  events: AsyncIterable<GenerateEvent>,
  options: ChatStreamOptions,
): AsyncGenerator<string, void, undefined> {
  const { answers, includeUsage } = options
  let usage: TokenUsage | undefined
  try {
    for (let index = 0; index < answers; index++)
      yield chunk(options, [choice(index, { role: 'assistant', content: '' })], index === 0 ? mediaFields(options) : {})
    for await (const event of events) {
      if (event.type === 'sample-end') usage = event.usage ?? usage
      yield* eventChunks(event, options)
    }
    if (includeUsage && usage) yield chunk(options, [], { usage: chatUsage(usage) })
    yield 'data: [DONE]\n\n'
  } catch (thrown) {
    yield `data: ${JSON.stringify(options.errorBody(thrown))}\n\n`
  }
}

function* eventChunks(event: GenerateEvent, options: ChatStreamOptions): Generator<string, void, undefined> {
  const { sample, text } = event
  const logprobs =
    options.wantsLogprobs && event.type === 'token'
      ? { content: [chatLogprob(event, options.policy)], refusal: null }
      : null
  if (text !== '' || logprobs !== null) yield chunk(options, [{ ...choice(sample, { content: text }), logprobs }])
  if (event.type !== 'sample-end') return
  const end = choice(sample, {}, finishReason(event.completion.finish))
  yield chunk(options, [{ ...end, ...boxField(event.completion.text, options) }])
}

interface ChunkChoice {
  readonly index: number
  readonly delta: { readonly role?: 'assistant'; readonly content?: string }
  readonly finish_reason: ReturnType<typeof finishReason> | null
  readonly logprobs?: { readonly content: readonly ChatLogprob[]; readonly refusal: null } | null
}

function choice(index: number, delta: ChunkChoice['delta'], finish: ChunkChoice['finish_reason'] = null): ChunkChoice {
  return { index, delta, finish_reason: finish }
}

function chunk({ header }: ChatStreamOptions, choices: readonly ChunkChoice[], fields: object = {}): string {
  const document = { ...header, object: 'chat.completion.chunk', choices, ...fields }
  return `data: ${JSON.stringify(document)}\n\n`
}

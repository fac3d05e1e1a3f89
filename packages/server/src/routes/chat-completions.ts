import { Readable } from 'node:stream'
import type { GenerateEvent, GenerateRequest, Message, Policy } from '@qoq-med/model'
import type { FastifyPluginAsync } from 'fastify'
import { z } from 'zod'
import { answerGrammar } from '../chat/answer-grammar.ts'
import { chatCompletion, type ChatReport } from '../chat/chat-completion.ts'
import { chatMessages } from '../chat/chat-messages.ts'
import { ChatRequest } from '../chat/chat-request.ts'
import { chatStream } from '../chat/chat-stream.ts'
import type { FetchMedia } from '../media/remote-media.ts'
import { seenPictures } from '../media/seen-pictures.ts'
import { hintedError, requestErrorBody } from '../error-response.ts'
import { serverErrors } from '../errors.ts'
import type { GenerationSlots } from '../generation-slots.ts'
import { requireAtMost, type ServerLimits } from '../limits.ts'
import type { DecodeMedia } from '../media/decoded-media.ts'
import { leaseFor } from '../request-lease.ts'
import type { NoteFailure } from '../request-log.ts'
import { counted, type ServerMetrics } from '../server-metrics.ts'

interface ChatOptions {
  readonly policy: Policy
  readonly slots: GenerationSlots
  readonly limits: ServerLimits
  readonly decode: DecodeMedia
  readonly fetchMedia: FetchMedia | undefined
  readonly nextSeed: () => number
  readonly noteFailure: NoteFailure
  readonly metrics: ServerMetrics
}

const defaultMaxTokens = 512

/** POST /v1/chat/completions: OpenAI's chat completion over a policy, whole or as server-sent events. */
export const chatCompletionsRoute: FastifyPluginAsync<ChatOptions> = async (app, options) => {
  const { policy, slots, limits } = options
  app.post<{ Body: ChatRequest }>(
    '/v1/chat/completions',
    { schema: { body: z.toJSONSchema(ChatRequest, { target: 'draft-7', io: 'input' }) }, config: { scope: 'chat' } },
    async (http, reply) => {
      const { body } = http
      checkRequest(body, options)
      const lease = leaseFor(reply, slots, body.n ?? 1)
      const { messages, images, warnings } = await chatMessages(body, { ...options, signal: lease.signal })
      const request = generateRequest(body, messages, options)
      const seen = { pictures: seenPictures(images, policy), warnings }
      const report = chatReport(body, request, { policy, requestId: http.id, ...seen })
      const events = counted(policy.generate([request], { signal: lease.signal }), options.metrics)
      if (body.stream !== true) return chatCompletion(events, report)
      const stream = chatStream(await begun(events), {
        ...report,
        includeUsage: body.stream_options?.include_usage ?? false,
        errorBody: thrown => {
          options.noteFailure(http, thrown)
          return requestErrorBody(hintedError(thrown, { requestId: http.id, bodyBytes: limits.bodyBytes }), body)
        },
      })
      return reply
        .type('text/event-stream; charset=utf-8')
        .header('cache-control', 'no-cache')
        .send(Readable.from(stream))
    },
  )
}

function checkRequest(body: ChatRequest, { policy, limits }: ChatOptions): void {
  const served = policy.info.name
  if ((body.model ?? served) !== served) throw serverErrors.MODEL_UNKNOWN({ served })
  requireAtMost(limits.answers, body.n ?? 1, 'answers')
  requireAtMost(limits.newTokens, maxTokens(body, limits), 'tokens of an answer')
}

function maxTokens(body: ChatRequest, { newTokens }: ServerLimits): number {
  return body.max_completion_tokens ?? body.max_tokens ?? Math.min(defaultMaxTokens, newTokens)
}

function generateRequest(
  body: ChatRequest,
  prompt: readonly Message[],
  { policy, limits, nextSeed }: ChatOptions,
): GenerateRequest & { readonly seed: number } {
  const { stop } = body
  return {
    prompt,
    samples: body.n ?? 1,
    maxNewTokens: maxTokens(body, limits),
    temperature: body.temperature ?? 1,
    topP: body.top_p ?? 1,
    seed: body.seed ?? nextSeed(),
    stop: typeof stop === 'string' ? [stop] : (stop ?? []),
    ...answerGrammar(body, policy),
    topLogprobs: body.logprobs === true ? (body.top_logprobs ?? 0) : 0,
  }
}

function chatReport(
  body: ChatRequest,
  { seed }: { readonly seed: number },
  {
    policy,
    requestId,
    pictures,
    warnings,
  }: Pick<ChatReport, 'policy' | 'pictures' | 'warnings'> & { requestId: string },
): ChatReport {
  return {
    policy,
    pictures,
    warnings,
    header: { id: `chatcmpl-${requestId}`, created: Math.floor(Date.now() / 1000), model: policy.info.name, seed },
    answers: body.n ?? 1,
    wantsLogprobs: body.logprobs === true,
  }
}

/** Waits for the first event: what fails before it still gets a status of its own. */
async function begun(events: AsyncIterable<GenerateEvent>): Promise<AsyncIterable<GenerateEvent>> {
  const iterator = events[Symbol.asyncIterator]()
  let first: IteratorResult<GenerateEvent> | undefined = await iterator.next()
  return {
    [Symbol.asyncIterator]: () => ({
      next: async () => {
        const result = first ?? (await iterator.next())
        first = undefined
        return result
      },
      return: async () => (await iterator.return?.()) ?? { done: true, value: undefined },
    }),
  }
}

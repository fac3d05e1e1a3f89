import type { Completion, Finish, GenerateEvent, Policy, TokenUsage } from '@qoq-med/model'
import { serverErrors } from '../errors.ts'
import { fileBoxes, type SeenPicture } from '../media/seen-pictures.ts'
import { chatLogprob, type ChatLogprob } from './token-logprobs.ts'

/** What an answer says of itself, whole or streamed. */
export interface ChatHeader {
  readonly id: string
  /** Seconds since 1970. */
  readonly created: number
  readonly model: string
  /** The seed that gives this answer again; an addition to OpenAI's fields. */
  readonly seed: number
}

/** How an answer is reported. */
export interface ChatReport {
  readonly policy: Policy
  readonly header: ChatHeader
  /** Answers that were asked for. */
  readonly answers: number
  readonly wantsLogprobs: boolean
  /** The pictures of the request. */
  readonly pictures: readonly SeenPicture[]
  /** What was changed or not applied in them. */
  readonly warnings: readonly string[]
}

/** What stands beside OpenAI's fields: sizes of pictures and warnings, where there are any. */
export function mediaFields({ pictures, warnings }: Pick<ChatReport, 'pictures' | 'warnings'>): object {
  return { ...(pictures.length > 0 && { pictures }), ...(warnings.length > 0 && { warnings }) }
}

/** The boxes of an answer in pixels of the pictures as they were sent, where there are pictures. */
export function boxField(text: string, { pictures }: Pick<ChatReport, 'pictures'>): object {
  return pictures.length > 0 ? { boxes: fileBoxes(text, pictures) } : {}
}

/** Tokens of a request. */
export interface ChatUsage {
  readonly prompt_tokens: number
  readonly completion_tokens: number
  readonly total_tokens: number
}

/** OpenAI's word for how an answer ended. */
export function finishReason(finish: Finish): 'stop' | 'length' | 'content_filter' {
  if (finish === 'refused') return 'content_filter'
  return finish === 'length' ? 'length' : 'stop'
}

/** Tokens of a request in OpenAI's words, the end token of every answer included. */
export function chatUsage({ promptTokens, completionTokens }: TokenUsage): ChatUsage {
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
  }
}

/** Waits for all answers and puts them into one document. @throws SERVER_ANSWER_MISSING, and what the policy throws */
export async function chatCompletion(events: AsyncIterable<GenerateEvent>, report: ChatReport): Promise<object> {
  const { policy, header, answers, wantsLogprobs } = report
  const completions = new Map<number, Completion>()
  const logprobs: ChatLogprob[][] = Array.from({ length: answers }, () => [])
  let usage: TokenUsage | undefined
  for await (const event of events) {
    if (event.type === 'sample-end') {
      completions.set(event.sample, event.completion)
      usage = event.usage ?? usage
    } else if (wantsLogprobs) logprobs[event.sample]?.push(chatLogprob(event, policy))
  }
  if (completions.size !== answers) throw serverErrors.ANSWER_MISSING({ expected: answers, found: completions.size })
  const ordered = [...completions].toSorted(([a], [b]) => a - b)
  return {
    ...header,
    object: 'chat.completion',
    choices: ordered.map(([index, { text, finish }]) => ({
      index,
      message: { role: 'assistant', content: text, refusal: null },
      logprobs: wantsLogprobs ? { content: logprobs[index], refusal: null } : null,
      finish_reason: finishReason(finish),
      ...boxField(text, report),
    })),
    ...mediaFields(report),
    ...(usage && { usage: chatUsage(usage) }),
  }
}

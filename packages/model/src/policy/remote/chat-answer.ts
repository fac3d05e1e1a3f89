import { z } from 'zod'
import type { ScoredCompletion } from '../../scoring/label-shares.ts'
import type { Finish, TokenUsage } from '../../generation/generate-request.ts'

const TokenLine = z.object({ token: z.string(), logprob: z.number() })
const Logprobs = z.object({ content: z.array(TokenLine).nullish() }).nullish()
const Usage = z.object({ prompt_tokens: z.int().min(0), completion_tokens: z.int().min(0) }).nullish()
const FinishReason = z.string().nullish()

const Whole = z.object({
  choices: z.array(
    z.object({
      index: z.int().min(0),
      // Some servers put reasoning beside the content.
      message: z.object({
        content: z.string().nullish(),
        reasoning_content: z.string().nullish(),
        refusal: z.string().nullish(),
      }),
      finish_reason: FinishReason,
      logprobs: Logprobs,
    }),
  ),
  usage: Usage,
})

const Chunk = z.object({
  choices: z.array(
    z.object({
      index: z.int().min(0),
      delta: z.object({
        content: z.string().nullish(),
        reasoning_content: z.string().nullish(),
        refusal: z.string().nullish(),
      }),
      finish_reason: FinishReason,
      logprobs: Logprobs,
    }),
  ),
  usage: Usage,
})

/** An answer as a server gave it. */
export interface RemoteAnswer {
  readonly text: string
  readonly finish: Finish
  /** [T] where the server told them. */
  readonly logprobs: readonly number[]
}

/** All answers to a request. */
export interface RemoteAnswers {
  /** By their index. */
  readonly answers: readonly RemoteAnswer[]
  readonly usage: TokenUsage | undefined
}

/** A piece of text of one answer. */
export interface RemotePiece {
  readonly sample: number
  readonly text: string
  readonly logprob: number
}

/** What a response lacks, in words; the caller tries again. */
export class UnusableAnswer extends Error {}

/** Reads a whole chat completion. @throws UnusableAnswer */
export function readWhole(document: unknown, samples: number): RemoteAnswers {
  const parsed = Whole.safeParse(document)
  if (!parsed.success) throw new UnusableAnswer('the response is no chat completion')
  const found = new Map(
    parsed.data.choices.map(({ index, message, finish_reason: reason, logprobs }) => [
      index,
      {
        text: joined(message),
        reason: message.refusal ? 'content_filter' : reason,
        logprobs: (logprobs?.content ?? []).map(({ logprob }) => logprob),
      },
    ]),
  )
  return { answers: inOrder(found, samples), usage: usageOf(parsed.data.usage) }
}

const Scores = z.object({
  scores: z.array(z.object({ index: z.int().min(0), token_ids: z.array(z.int()), logprobs: z.array(z.number()) })),
})

/** Reads log-probabilities of completions. @throws UnusableAnswer */
export function readScores(document: unknown, completions: number): ScoredCompletion[] {
  const parsed = Scores.safeParse(document)
  if (!parsed.success) throw new UnusableAnswer('the response holds no scores')
  const found = new Map(
    parsed.data.scores.map(({ index, token_ids: tokenIds, logprobs }) => [index, { tokenIds, logprobs }]),
  )
  return Array.from({ length: completions }, (_, index) => {
    const one = found.get(index)
    if (one === undefined || one.tokenIds.length !== one.logprobs.length || one.tokenIds.length === 0)
      throw new UnusableAnswer(`the scores of completion ${index + 1} are missing`)
    return one
  })
}

/** Gathers the chunks of a streamed chat completion. */
export class ChunkReader {
  readonly #refused = new Set<number>()
  readonly #parts = new Map<
    number,
    { text: string; reasoning: string; reason: string | null | undefined; logprobs: number[] }
  >()
  #usage: TokenUsage | undefined

  /** @throws UnusableAnswer for a chunk that is none, such as an error in the middle of a stream */
  read(document: unknown): RemotePiece[] {
    const parsed = Chunk.safeParse(document)
    if (!parsed.success) throw new UnusableAnswer('the stream holds something else than chunks of a chat completion')
    this.#usage = usageOf(parsed.data.usage) ?? this.#usage
    return parsed.data.choices.map(({ index, delta, finish_reason: reason, logprobs }) => {
      const part = this.#parts.get(index) ?? { text: '', reasoning: '', reason: undefined, logprobs: [] }
      this.#parts.set(index, part)
      part.text += delta.content ?? ''
      part.reasoning += delta.reasoning_content ?? ''
      if (delta.refusal) this.#refused.add(index)
      part.reason = reason ?? part.reason
      const lines = logprobs?.content ?? []
      part.logprobs.push(...lines.map(({ logprob }) => logprob))
      return { sample: index, text: delta.content ?? '', logprob: lines[0]?.logprob ?? Number.NaN }
    })
  }

  /** @throws UnusableAnswer when an answer has no end: the stream was cut */
  end(samples: number): RemoteAnswers {
    const found = new Map(
      [...this.#parts].map(([index, { text, reasoning, reason, logprobs }]) => {
        const ending = reason && this.#refused.has(index) ? 'content_filter' : reason
        return [index, { text: joined({ content: text, reasoning_content: reasoning }), reason: ending, logprobs }]
      }),
    )
    return { answers: inOrder(found, samples), usage: this.#usage }
  }
}

/** Reasoning that a server took out of the text stands before it again, in the tags of this project. */
function joined({
  content,
  reasoning_content: reasoning,
}: {
  readonly content?: string | null | undefined
  readonly reasoning_content?: string | null | undefined
}): string {
  return reasoning ? `<think>${reasoning}</think>${content ?? ''}` : (content ?? '')
}

function inOrder(
  found: ReadonlyMap<number, { text: string; reason: string | null | undefined; logprobs: readonly number[] }>,
  samples: number,
): RemoteAnswer[] {
  return Array.from({ length: samples }, (_, index) => {
    const one = found.get(index)
    if (one === undefined) throw new UnusableAnswer(`answer ${index + 1} of ${samples} is missing`)
    if (!one.reason) throw new UnusableAnswer('an answer was cut off in the middle')
    return { text: one.text, finish: finishOf(one.reason), logprobs: one.logprobs }
  })
}

/** OpenAI does not tell a stop text from the end. */
function finishOf(reason: string): Finish {
  if (reason === 'length') return 'length'
  return reason === 'content_filter' ? 'refused' : 'end'
}

function usageOf(usage: z.output<typeof Usage>): TokenUsage | undefined {
  return usage ? { promptTokens: usage.prompt_tokens, completionTokens: usage.completion_tokens } : undefined
}

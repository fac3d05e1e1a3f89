import type { PromptMessage } from '@qoq-med/data-climb'
import type { Grammar } from '@qoq-med/model'

/** A prompt to answer, and how to sample. */
export interface PromptRequest {
  readonly prompt: readonly PromptMessage[]
  readonly seed: number
  readonly temperature: number
  readonly topP: number
  readonly maxNewTokens: number
  /** The form of the answer; a policy that cannot keep to it refuses. */
  readonly grammar?: Grammar
}

/** A finished answer, as far as the evaluation reads it. */
export interface FinishedAnswer {
  readonly text: string
  readonly finish: string
  readonly tokenIds: ArrayLike<number>
}

/** What happens while answers are generated; `request` is the index of the prompt. */
export type AnswerEvent =
  | { readonly type: 'token'; readonly request: number }
  | { readonly type: 'sample-end'; readonly request: number; readonly completion: FinishedAnswer }

/** Gives the probability of each label where a prompt's answer stands: [L], summing to 1. */
export type ScoreLabels = (prompt: readonly PromptMessage[], labels: readonly string[]) => Promise<readonly number[]>

/** What the evaluation needs of a policy; `Policy` of the model package is one. */
export interface EvaluatedPolicy {
  readonly info: { readonly name: string }
  generate(requests: readonly PromptRequest[], options?: { readonly signal?: AbortSignal }): AsyncIterable<AnswerEvent>
}

import type { Grammar } from '../grammar/grammar.ts'
import type { Encoded } from '../prompt/encoded.ts'
import type { Message } from '../prompt/message.ts'
import type { SamplingOptions } from './sampler.ts'

/** A prompt to be answered, `samples` times. */
export interface GenerateRequest extends SamplingOptions {
  /** Messages, or what `encodeMessages` made of them. */
  readonly prompt: readonly Message[] | Encoded
  /** Answers to sample; they share the prompt's prefill. Default 1. */
  readonly samples?: number
  /** Tokens after which an answer ends. Default 512. */
  readonly maxNewTokens?: number
  /** Texts at which an answer ends; they are not part of it. */
  readonly stop?: readonly string[]
  /**
   * What the answer may look like: other tokens are not drawn, and it is complete within `maxNewTokens`. Log-probabilities
   * stay those of the model without it.
   */
  readonly grammar?: Grammar
  /** With the sample's number it decides all draws, whatever else is generated at the time. Default 0. */
  readonly seed?: number
  /** Alternatives to report for every token. Default 0. */
  readonly topLogprobs?: number
}

/** A token and its log-probability under softmax(logits / temperature), temperature 0 counting as 1. */
export interface TokenLogprob {
  readonly tokenId: number
  readonly logprob: number
}

/**
 * Why an answer ended: an end-of-sequence token, a stop text, `maxNewTokens`, or the filter of a remote server that
 * refused it.
 */
export type Finish = 'end' | 'stop' | 'length' | 'refused'

/** A finished answer. */
export interface Completion {
  /** All sampled tokens, the end-of-sequence token included. */
  readonly tokenIds: Int32Array
  /** Log-probability of each token. */
  readonly logprobs: Float32Array
  /** Without special tokens and stop text. */
  readonly text: string
  readonly finish: Finish
}

/** Tokens of a whole request: its prompt once, and all its answers together, their end tokens included. */
export interface TokenUsage {
  readonly promptTokens: number
  readonly completionTokens: number
}

/** What happens while answers are generated. `request` and `sample` say which answer it belongs to. */
export type GenerateEvent =
  | {
      readonly type: 'token'
      readonly request: number
      readonly sample: number
      readonly token: TokenLogprob
      /** Text that this token completes; '' while a character or a possible stop text is incomplete. */
      readonly text: string
      readonly top: readonly TokenLogprob[]
    }
  | {
      readonly type: 'sample-end'
      readonly request: number
      readonly sample: number
      /** Text that was held back in case it became a stop text. */
      readonly text: string
      readonly completion: Completion
      /** On the last answer of a request at the latest, where tokens are counted. */
      readonly usage?: TokenUsage
    }

import type { Encoded, Message, Policy, Tokenizer } from '@qoq-med/model'

/** A width and a height in pixels. */
interface PictureSize {
  readonly width: number
  readonly height: number
}

/** A policy to serve. `LocalPolicy` is one as it stands. */
export interface ServedPolicy extends Policy {
  /**
   * Where it is there, prompts are encoded once and counted, and log-probabilities name the text of their tokens; with
   * `logprobs` beside it, given completions are scored.
   */
  readonly model?: {
    encode(messages: readonly Message[]): Encoded
    readonly tokenizer: Pick<Tokenizer, 'bytes'> & Partial<Pick<Tokenizer, 'encode'>>
    /** Where it is there, boxes of answers are told in pixels of the pictures as they were sent. */
    readonly seenSize?: (stored: PictureSize) => PictureSize
  }
}

/** Said by the list of models, by every response's header and by the command line. */
export const researchNotice = 'Research use only, not a medical device'

import type { GenerateEvent, GenerateRequest } from '../generation/generate-request.ts'
import type { PolicyLoad } from '../generation/policy-load.ts'
import type { Encoded } from '../prompt/encoded.ts'
import type { ImageSize } from '../prompt/image-size.ts'
import type { Message } from '../prompt/message.ts'

/** What a policy says of itself. */
export interface PolicyInfo {
  readonly name: string
  /** The longest sequence, prompt and answer together, in tokens. */
  readonly maxPositions: number
  readonly modalities: readonly ('text' | 'image' | 'video' | 'ecg')[]
}

/** Options of `Policy.generate`. */
export interface GenerateOptions {
  /** Ends the generation at the next token; the iteration then throws the signal's reason. */
  readonly signal?: AbortSignal
}

/** Options of `Policy.logprobs`. */
export interface LogprobsOptions {
  /** Divides the logits. Default 1. */
  readonly temperature?: number
  /** Ends the scoring; the promise then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

/** A prompt and an answer to be scored. */
export interface Sequence {
  /** Messages, or what `encodeMessages` made of them. */
  readonly prompt: readonly Message[] | Encoded
  readonly completion: Int32Array
}

/** What trainer, eval and server need of a policy: in this thread, in another (`ThreadPolicy`), or on another machine. */
export interface Policy {
  readonly info: PolicyInfo
  /** Answers prompts; events of all answers come interleaved, as they happen. */
  generate(requests: readonly GenerateRequest[], options?: GenerateOptions): AsyncIterable<GenerateEvent>
  /** Log-probabilities of the answers' tokens; remote policies may not offer it. */
  logprobs?(sequences: readonly Sequence[], options?: LogprobsOptions): Promise<Float32Array[]>
  /**
   * The tokens of texts, as answers have them. A policy without it, such as a remote one, does not know the model's tokens: it
   * holds no answer to a grammar.
   */
  tokenIds?(texts: readonly string[]): Promise<Int32Array[]>
  /** The bytes that a token stands for; remote policies do not offer it. */
  tokenBytes?(tokenId: number): Uint8Array
  /**
   * The size at which the model sees a picture of a size, both in pixels: boxes of prompts and answers are in those. Without it
   * they are in pixels of the picture as it was sent.
   */
  seenSize?(stored: ImageSize): ImageSize
  /** What it does at this moment; remote policies do not offer it. */
  load?(): Promise<PolicyLoad>
  close(): Promise<void>
}

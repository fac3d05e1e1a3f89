import type { GenerateEvent, GenerateRequest } from '../generation/generate-request.ts'
import type { Encoded } from '../prompt/encoded.ts'

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

/** A prompt and an answer to be scored. */
export interface Sequence {
  readonly prompt: Encoded
  readonly completion: Int32Array
}

/** What trainer, eval and server need of a policy, in this process or elsewhere. */
export interface Policy {
  readonly info: PolicyInfo
  /** Answers prompts; events of all answers come interleaved, as they happen. */
  generate(requests: readonly GenerateRequest[], options?: GenerateOptions): AsyncIterable<GenerateEvent>
  /** Log-probabilities of the answers' tokens; remote policies may not offer it. */
  logprobs?(sequences: readonly Sequence[], options?: { readonly temperature?: number }): Promise<Float32Array[]>
  close(): Promise<void>
}

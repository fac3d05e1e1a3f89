import type { Encoded } from '../prompt/encoded.ts'

/** A prompt and what was answered: the tokens whose log-probabilities are wanted. */
export interface ScoredSequence {
  readonly prompt: Encoded
  readonly completion: Int32Array
}

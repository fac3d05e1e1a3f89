import type { EncoderBatch } from '@qoq-med/encoders'
import type { EngineModel } from '../generation/engine-model.ts'
import type { Encoded } from '../prompt/encoded.ts'
import type { ScoredSequence } from '../scoring/scored-sequence.ts'

/** How sequences are scored. */
export interface ScoreOptions {
  readonly temperature: number
  /** What is left to score when it is aborted need not be. */
  readonly signal: AbortSignal | undefined
}

/** How a policy reaches its model: over weights in memory that may change, or over packed ones that do not. */
export interface PolicyRunner extends EngineModel {
  /** Log-probabilities of the answers' tokens, per sequence [completion.length]. */
  logprobs(sequences: readonly ScoredSequence[], options: ScoreOptions): Promise<Float32Array[]>
  /** Logits [T * V] of every token of a prompt. */
  logits(prompt: Encoded): Promise<Float32Array>
  /** Tokens [rows * D] of one of the encoders, with the batch's padding behind them. */
  encode(batch: EncoderBatch): Promise<Float32Array>
  close(): Promise<void>
}

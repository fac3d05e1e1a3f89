import {
  scoringBatch,
  type DecoderConfig,
  type PolicyEncoders,
  type ScoreBatch,
  type ScoredSequence,
} from '@qoq-med/model'

/** What passes over answers need of a model. */
export interface AnswerModel {
  readonly decoder: DecoderConfig
  readonly encoders: PolicyEncoders
  /** Sampling temperature that log-probabilities are taken at. Default 1. */
  readonly temperature?: number | undefined
}

/** Packs answers for one run. @param chunk rows of the vocabulary head at a time; all by default */
export function packAnswers(
  { decoder, encoders, temperature = 1 }: AnswerModel,
  sequences: readonly ScoredSequence[],
  chunk?: number,
): ScoreBatch {
  return scoringBatch(decoder, encoders, sequences, { temperature, ...(chunk !== undefined && { chunk }) })
}

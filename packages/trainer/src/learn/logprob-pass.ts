import type { ScoredSequence } from '@qoq-med/model'
import { packAnswers, type AnswerModel } from './answer-model.ts'
import { valuesOf, type Pass } from './objective.ts'
import { rowsOf } from './token-inputs.ts'

/** Logits that scoring has in memory at once, 16 MiB. */
const scoringLogits = 2 ** 22

/** The log-probabilities of every answer's tokens, each [n]. */
export function logprobPass(model: AnswerModel): Pass<ScoredSequence, Float32Array[]> {
  // Nothing is kept for gradients: few rows of logits at a time are as fast and a fraction of the memory.
  const chunk = Math.max(16, Math.floor(scoringLogits / model.decoder.vocabSize))
  return {
    name: 'score',
    batch: sequences => {
      const packed = packAnswers(model, sequences, chunk)
      return {
        key: packed.key,
        inputs: packed.inputs,
        build: ({ ops, layers, inputs }) => ({ logprobs: packed.forward(ops, layers, inputs).logprobs }),
        report: results => rowsOf(packed, sequences, valuesOf(results, 'logprobs')),
      }
    },
  }
}

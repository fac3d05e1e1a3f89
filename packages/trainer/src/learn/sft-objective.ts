import type { ScoredSequence } from '@qoq-med/model'
import { packAnswers, type AnswerModel } from './answer-model.ts'
import { scalarOf, type Objective } from './objective.ts'
import { sftLoss } from './policy-loss.ts'
import { perToken, withTokens } from './token-inputs.ts'

/** A reference answer to learn. */
export interface SftItem extends ScoredSequence {
  /** Weight of each token in the loss (`tokenWeights`). */
  readonly tokenWeight: number
}

/** The mean negative log-likelihood of reference answers: supervised fine-tuning. It reports the loss. */
export function sftObjective(model: AnswerModel): Objective<SftItem, number> {
  return {
    name: 'sft',
    batch: items => {
      const packed = packAnswers(model, items)
      return {
        ...withTokens(packed, { weights: perToken(packed, items, ({ tokenWeight }) => tokenWeight) }),
        build: ({ ops, layers, inputs }) => {
          const { logprobs } = packed.forward(ops, layers, inputs)
          return { loss: sftLoss(ops, logprobs, inputs('weights')) }
        },
        report: results => scalarOf(results, 'loss'),
      }
    },
  }
}

import type { ScoredSequence } from '@qoq-med/model'
import { packAnswers, type AnswerModel } from './answer-model.ts'
import { scalarOf, valuesOf, type Objective } from './objective.ts'
import { policyLossGraph, type PolicyLossGraphOptions } from './policy-loss.ts'
import { perToken, rowsOf, withTokens } from './token-inputs.ts'

/** An answer with what the policy loss reads of it. */
export interface PolicyItem extends ScoredSequence {
  /** [n] under the policy that sampled */
  readonly oldLogprobs: Float32Array
  /** [n] */
  readonly refLogprobs: Float32Array
  /** [n] or one for all tokens */
  readonly advantage: number | Float64Array
  /** Weight of each token in the loss (`tokenWeights`). */
  readonly tokenWeight: number
}

/** Log-probabilities and entropies of a completion's tokens, each [n]. */
export interface CompletionScores {
  readonly logprobs: Float32Array
  readonly entropy: Float32Array
}

/** What a microbatch adds to an update; the numbers are means under the token weights. */
export interface PolicyLossReport {
  readonly loss: number
  readonly klPenalty: number
  readonly clipFraction: number
  /** Share of tokens at which the dual clip decides, where there is one. */
  readonly dualClipFraction?: number
  /** Under the weights that the gradient was taken at. */
  readonly scores: readonly CompletionScores[]
}

/** The clipped objective of section 3.3 over sampled answers. */
export function policyObjective(
  model: AnswerModel,
  { klCoefficient, ...structure }: PolicyLossGraphOptions,
): Objective<PolicyItem, PolicyLossReport> {
  return {
    name: 'policy',
    batch: items => {
      const packed = packAnswers(model, items)
      const values = (of: (item: PolicyItem, token: number) => number): Float32Array => perToken(packed, items, of)
      const withValues = withTokens(packed, {
        weights: values(({ tokenWeight }) => tokenWeight),
        klWeights: values(({ tokenWeight }) => tokenWeight * klCoefficient),
        oldLogprobs: values(({ oldLogprobs }, token) => oldLogprobs[token]!),
        refLogprobs: values(({ refLogprobs }, token) => refLogprobs[token]!),
        advantages: values(({ advantage }, token) => (typeof advantage === 'number' ? advantage : advantage[token]!)),
      })
      return {
        ...withValues,
        key: `${packed.key} ${JSON.stringify(structure)}`,
        build: ({ ops, layers, inputs }) => {
          const { logprobs, entropy } = packed.forward(ops, layers, inputs)
          const terms = {
            policyLogprobs: logprobs,
            oldLogprobs: inputs('oldLogprobs'),
            refLogprobs: inputs('refLogprobs'),
            advantages: inputs('advantages'),
            weights: inputs('weights'),
            klWeights: inputs('klWeights'),
          }
          return { ...policyLossGraph(ops, terms, structure), logprobs, entropy }
        },
        report: results => {
          const rows = (name: keyof CompletionScores): Float32Array[] => rowsOf(packed, items, valuesOf(results, name))
          const [logprobs, entropies] = [rows('logprobs'), rows('entropy')]
          return {
            loss: scalarOf(results, 'loss'),
            klPenalty: scalarOf(results, 'klPenalty'),
            clipFraction: scalarOf(results, 'clipFraction'),
            ...(structure.dualClip !== undefined && { dualClipFraction: scalarOf(results, 'dualClipFraction') }),
            scores: logprobs.map((each, i) => ({ logprobs: each, entropy: entropies[i]! })),
          }
        },
      }
    },
  }
}

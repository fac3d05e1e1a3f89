import type { PolicyModel, ScoredSequence } from '@qoq-med/model'
import { createParameterStore, type ParameterShape, type ParameterStore, type Tensor } from '@qoq-med/tensor'
import { packAnswers, type AnswerModel } from './answer-model.ts'
import { scalarOf, valuesOf, type Objective, type Pass, type PassGraph } from './objective.ts'
import { perToken, rowsOf, withTokens } from './token-inputs.ts'
import { tokenValues, valueHeadName, valueLoss } from './value-loss.ts'

/** An answer with what the critic should have said of it. */
export interface ValueItem extends ScoredSequence {
  /** [n] what the critic should have said before each token. */
  readonly returns: Float64Array
  /** [n] what it said when the batch was sampled. */
  readonly oldValues: Float32Array
  /** Weight of each token in the loss (`tokenWeights`). */
  readonly tokenWeight: number
}

/** What a microbatch adds to an update; means under the token weights. */
export interface ValueLossReport {
  readonly loss: number
  readonly clipFraction: number
}

/** PPO's critic in training: the clipped value loss over a store of `createCriticStore`. */
export function valueObjective(model: AnswerModel, clipRange: number): Objective<ValueItem, ValueLossReport> {
  return {
    name: 'critic',
    batch: items => {
      const packed = packAnswers(model, items)
      const values = (of: (item: ValueItem, token: number) => number): Float32Array => perToken(packed, items, of)
      const withValues = withTokens(packed, {
        weights: values(({ tokenWeight }) => tokenWeight),
        returns: values(({ returns }, token) => returns[token]!),
        oldValues: values(({ oldValues }, token) => oldValues[token]!),
      })
      return {
        ...withValues,
        key: `${packed.key} clip ${clipRange}`,
        build: graph => {
          const { ops, inputs } = graph
          const predictions = predictedValues(packed, graph)
          const [returns, oldValues, weights] = [inputs('returns'), inputs('oldValues'), inputs('weights')]
          return { ...valueLoss(ops, { predictions, returns, oldValues, weights }, clipRange) }
        },
        report: results => ({ loss: scalarOf(results, 'loss'), clipFraction: scalarOf(results, 'clipFraction') }),
      }
    },
  }
}

/** The critic's value before each token of every answer, each [n]. */
export function valuePass(model: AnswerModel): Pass<ScoredSequence, Float32Array[]> {
  return {
    name: 'values',
    batch: sequences => {
      const packed = packAnswers(model, sequences)
      return {
        key: packed.key,
        inputs: packed.inputs,
        build: graph => ({ values: predictedValues(packed, graph) }),
        report: results => rowsOf(packed, sequences, valuesOf(results, 'values')),
      }
    },
  }
}

function predictedValues(packed: ReturnType<typeof packAnswers>, { ops, layers, weights, inputs }: PassGraph): Tensor {
  return tokenValues(ops, weights, packed.hidden(ops, layers, inputs))
}

/**
 * The parameters of a critic: those of a model without its vocabulary head, and a value head of zeros, so that an untrained
 * critic says 0 everywhere.
 *
 * @param weights what the parameters begin with
 * @param trainable says which of them train; the head always does
 */
export function createCriticStore(
  { parameters, config }: PolicyModel,
  weights: (name: string) => Float32Array,
  trainable: (name: string) => boolean,
): ParameterStore {
  const shared = parameters.filter(({ name }) => name !== 'lm_head.weight')
  const head: ParameterShape[] = [
    { name: `${valueHeadName}.weight`, shape: [1, config.decoder.hiddenSize] },
    { name: `${valueHeadName}.bias`, shape: [1] },
  ]
  const frozen = new Set(shared.filter(spec => !(spec.isTrainable && trainable(spec.name))).map(({ name }) => name))
  const store = createParameterStore([...shared, ...head], { trainable: name => !frozen.has(name) })
  for (const { name } of shared) store.weights(name).set(weights(name))
  return store
}

import { weightLayers } from '@qoq-med/encoders'
import {
  batchFeeds,
  createProgramCache,
  scoreBatch,
  type PolicyModel,
  type ProgramCache,
  type ScoreBatch,
  type ScoredSequence,
} from '@qoq-med/model'
import {
  clippingScale,
  createAdamW,
  createParameterStore,
  gradientNorm,
  graphOps,
  type AdamW,
  type AdamWState,
  type Executor,
  type ParameterSpec,
  type ParameterStore,
} from '@qoq-med/tensor'
import { differentiate, runAccumulating, scalarOf } from './gradient-program.ts'
import { keptPrograms, type LearnerModel, type UpdateReport } from './learner.ts'
import { perToken, rowsOf, withTokens } from './token-inputs.ts'
import { tokenValues, valueHeadName, valueLoss } from './value-loss.ts'

/** What the value loss needs to know of each sequence, beside the tokens. */
export interface ValueTarget {
  /** [n] what the critic should have said before each token. */
  readonly returns: Float64Array
  /** [n] what it said when the batch was sampled. */
  readonly oldValues: Float32Array
  /** Weight of each token in the loss (`tokenWeights`). */
  readonly tokenWeight: number
}

/** Sums over microbatches; means under the token weights. */
export interface ValueLossReport {
  readonly loss: number
  readonly clipFraction: number
}

/** PPO's critic: a copy of the policy whose head says what reward is still to come. */
export interface Critic {
  readonly store: ParameterStore
  /** The value before each completion token, per sequence [n]. */
  values(sequences: readonly ScoredSequence[]): Promise<Float32Array[]>
  /** Adds the gradient of the clipped value loss of a microbatch to the store. */
  accumulate(
    sequences: readonly ScoredSequence[],
    targets: readonly ValueTarget[],
    clipRange: number,
  ): Promise<ValueLossReport>
  /** Clips the accumulated gradients, makes an AdamW step and clears them. @throws TENSOR_NOT_FINITE */
  update(learningRate: number): UpdateReport
  optimizerState(): AdamWState
  restoreOptimizer(state: AdamWState): void
  close(): Promise<void>
}

/** Settings of a critic's optimizer. */
export interface CriticOptions {
  readonly weightDecay: number
  readonly maxGradientNorm: number
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
  const head: ParameterSpec[] = [
    { name: `${valueHeadName}.weight`, shape: [1, config.decoder.hiddenSize] },
    { name: `${valueHeadName}.bias`, shape: [1] },
  ]
  const frozen = new Set(shared.filter(spec => !(spec.isTrainable && trainable(spec.name))).map(({ name }) => name))
  const store = createParameterStore([...shared, ...head], { trainable: name => !frozen.has(name) })
  for (const { name } of shared) store.weights(name).set(weights(name))
  return store
}

/** Creates a critic over a store of `createCriticStore`. */
export function createCritic(
  executor: Executor,
  model: LearnerModel,
  store: ParameterStore,
  options: CriticOptions,
): Critic {
  return new LocalCritic(executor, model, store, options)
}

class LocalCritic implements Critic {
  readonly store: ParameterStore
  readonly #model: LearnerModel
  readonly #options: CriticOptions
  readonly #optimizer: AdamW
  readonly #scoring: ProgramCache
  readonly #training: ProgramCache

  constructor(executor: Executor, model: LearnerModel, store: ParameterStore, options: CriticOptions) {
    this.store = store
    this.#model = model
    this.#options = options
    this.#optimizer = createAdamW(store, { weightDecay: options.weightDecay })
    const shapes = new Map(store.parameters.map(({ name, shape }) => [name, shape]))
    const cache = (purpose: string): ProgramCache => createProgramCache(executor, shapes, { purpose, ...keptPrograms })
    this.#scoring = cache('values')
    this.#training = cache('critic')
  }

  async values(sequences: readonly ScoredSequence[]): Promise<Float32Array[]> {
    const batch = this.#batch(sequences)
    const cached = await this.#scoring.program(batch, (graph, scored, look) => {
      const ops = graphOps(graph)
      graph.output(
        'values',
        tokenValues(ops, look.weights, scored.hidden(ops, weightLayers(ops, look.weights), look.inputs)),
      )
    })
    const results = await cached.program.run(batchFeeds(cached, batch, name => this.store.weights(name)))
    return rowsOf(batch, sequences, results['values'] as Float32Array) // the graph's only output
  }

  async accumulate(
    sequences: readonly ScoredSequence[],
    targets: readonly ValueTarget[],
    clipRange: number,
  ): Promise<ValueLossReport> {
    const packed = this.#batch(sequences)
    const values = (of: (target: ValueTarget, token: number) => number): Float32Array =>
      perToken(packed, sequences, (i, token) => of(targets[i]!, token))
    const batch = withTokens(packed, {
      weights: values(({ tokenWeight }) => tokenWeight),
      returns: values(({ returns }, token) => returns[token]!),
      oldValues: values(({ oldValues }, token) => oldValues[token]!),
    })
    const cached = await this.#training.program(
      { ...batch, key: `${batch.key} clip ${clipRange}` },
      (graph, scored, look) => {
        const ops = graphOps(graph)
        const predictions = tokenValues(
          ops,
          look.weights,
          scored.hidden(ops, weightLayers(ops, look.weights), look.inputs),
        )
        const [returns, oldValues, weights] = [look.inputs('returns'), look.inputs('oldValues'), look.inputs('weights')]
        const { loss, clipFraction } = valueLoss(ops, { predictions, returns, oldValues, weights }, clipRange)
        graph.output('loss', loss)
        graph.output('clipFraction', clipFraction)
        differentiate(graph, loss, this.store, look.weights)
      },
    )
    const results = await runAccumulating(cached, batch, this.store)
    return { loss: scalarOf(results, 'loss'), clipFraction: scalarOf(results, 'clipFraction') }
  }

  update(learningRate: number): UpdateReport {
    const norm = gradientNorm(this.store)
    this.#optimizer.step({ learningRate, gradientScale: clippingScale(norm, this.#options.maxGradientNorm) })
    this.store.zeroGradients()
    return { gradientNorm: norm, learningRate }
  }

  optimizerState(): AdamWState {
    return this.#optimizer.state()
  }

  restoreOptimizer(state: AdamWState): void {
    this.#optimizer.restore(state)
  }

  async close(): Promise<void> {
    await Promise.all([this.#scoring.close(), this.#training.close(), this.#optimizer.close()])
  }

  #batch(sequences: readonly ScoredSequence[]): ScoreBatch {
    return scoreBatch(this.#model.decoder, this.#model.encoders, sequences)
  }
}

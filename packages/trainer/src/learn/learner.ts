import { weightLayers, type Layers } from '@qoq-med/encoders'
import {
  batchFeeds,
  createProgramCache,
  scoreBatch,
  type CachedProgram,
  type DecoderConfig,
  type PolicyEncoders,
  type ProgramCache,
  type ScoreBatch,
  type ScoredSequence,
} from '@qoq-med/model'
import {
  createAdamW,
  clippingScale,
  gradientNorm,
  graphOps,
  type AdamW,
  type AdamWState,
  type Executor,
  type Graph,
  type MemoryMode,
  type ParameterStore,
  type Tensor,
} from '@qoq-med/tensor'
import type { Adaptation } from './adaptation.ts'
import { differentiate, runAccumulating, scalarOf } from './gradient-program.ts'
import { policyLoss, sftLoss, type PolicyLossOptions } from './policy-loss.ts'
import { perToken, rowsOf, withTokens } from './token-inputs.ts'

/** What a learner needs of a model. */
export interface LearnerModel {
  readonly decoder: DecoderConfig
  readonly encoders: PolicyEncoders
}

/** Settings of the optimizer. */
export interface LearnerOptions {
  readonly weightDecay: number
  readonly maxGradientNorm: number
  /** Sampling temperature that the log-probabilities are taken at. */
  readonly temperature: number
  /** Adapters that train in place of the weights. */
  readonly adaptation?: Adaptation | undefined
  /** Checks every value of a run and names the operation that makes a NaN; more than twice as slow. Default false. */
  readonly debug?: boolean | undefined
  /** What training keeps from the forward pass: the less, the slower and the smaller. Default 'fast'. */
  readonly memory?: MemoryMode | undefined
  /** Bytes of computed values from which on a layer is a program of its own, where `memory` is not 'fast'. Default 32 MiB. */
  readonly segmentBytes?: number | undefined
}

/** Log-probabilities and entropies of a completion's tokens, each [n]. */
export interface CompletionScores {
  readonly logprobs: Float32Array
  readonly entropy: Float32Array
}

/** What the policy loss needs to know of each sequence, beside the tokens. */
export interface PolicyTarget {
  /** [n] */
  readonly oldLogprobs: Float32Array
  /** [n] */
  readonly refLogprobs: Float32Array
  /** [n] or one for all tokens */
  readonly advantage: number | Float64Array
  /** Weight of each token in the loss (`tokenWeights`). */
  readonly tokenWeight: number
}

/** What a microbatch adds to an update; the numbers are means under the token weights. */
export interface PolicyLossReport {
  readonly loss: number
  readonly klPenalty: number
  readonly clipFraction: number
  /** Under the weights that the gradient was taken at. */
  readonly scores: readonly CompletionScores[]
}

/** What an optimizer update did. */
export interface UpdateReport {
  readonly gradientNorm: number
  readonly learningRate: number
}

/** Trains the parameters of a store in this process: forward and backward in ONNX Runtime, AdamW in WebAssembly. */
export interface Learner {
  readonly store: ParameterStore
  /** Optimizer steps so far: it changes whenever the weights do. */
  readonly updates: number
  /** Log-probabilities of each completion's tokens, each [n], under these weights; the store's by default. */
  score(sequences: readonly ScoredSequence[], weights?: (name: string) => Float32Array): Promise<Float32Array[]>
  /** Adds the gradient of the SFT loss of a microbatch to the store; answers the loss. `tokenWeights` one per sequence. */
  accumulateSft(sequences: readonly ScoredSequence[], tokenWeights: readonly number[]): Promise<number>
  /** Adds the gradient of the policy loss of a microbatch to the store. */
  accumulatePolicy(
    sequences: readonly ScoredSequence[],
    targets: readonly PolicyTarget[],
    options: PolicyLossOptions,
  ): Promise<PolicyLossReport>
  /**
   * Clips the accumulated gradients and makes an AdamW step. The next microbatch starts from zero; until then the
   * gradients can be read.
   *
   * @throws TENSOR_NOT_FINITE naming the parameter, before any weight has changed
   */
  update(learningRate: number): UpdateReport
  optimizerState(): AdamWState
  restoreOptimizer(state: AdamWState): void
  close(): Promise<void>
}

/** Creates a learner over a parameter store. The store's trainable parameters get gradients. */
export function createLearner(
  executor: Executor,
  model: LearnerModel,
  store: ParameterStore,
  options: LearnerOptions,
): Learner {
  return new LocalLearner(executor, model, store, options)
}

/** What is kept per purpose. Building a graph for training takes as long as half a step at the nano size. */
export const keptPrograms = { capacity: 48, capacityBytes: 2 ** 31, sharesMemory: true }
/** Logits that scoring has in memory at once, 16 MiB. */
const scoringLogits = 2 ** 22

class LocalLearner implements Learner {
  readonly store: ParameterStore
  updates = 0
  readonly #model: LearnerModel
  readonly #options: LearnerOptions
  readonly #optimizer: AdamW
  readonly #scoring: ProgramCache
  readonly #sft: ProgramCache
  readonly #policy: ProgramCache
  /** Passes since the last update. */
  #microbatch = 0
  /** Whether nothing in the gradients is to be kept, as after an update: the next microbatch writes over them. */
  #areSpent = true

  constructor(executor: Executor, model: LearnerModel, store: ParameterStore, options: LearnerOptions) {
    this.store = store
    this.#model = model
    this.#options = options
    this.#optimizer = createAdamW(store, { weightDecay: options.weightDecay })
    const shapes = new Map(store.parameters.map(({ name, shape }) => [name, shape]))
    const { debug = false, memory = 'fast', segmentBytes } = options
    const cache = (purpose: string): ProgramCache =>
      createProgramCache(executor, shapes, { purpose, ...keptPrograms, debug, memory, segmentBytes })
    this.#scoring = cache('score')
    this.#sft = cache('sft')
    this.#policy = cache('policy')
  }

  async score(
    sequences: readonly ScoredSequence[],
    weights: (name: string) => Float32Array = this.#options.adaptation?.weights ?? (name => this.store.weights(name)),
  ): Promise<Float32Array[]> {
    // Nothing is kept for gradients: few rows of logits at a time are as fast and a fraction of the memory.
    const chunk = Math.max(16, Math.floor(scoringLogits / this.#model.decoder.vocabSize))
    const batch = this.#batch(sequences, chunk)
    const cached = await this.#scoring.program(batch, (graph, scored, look) => {
      const ops = graphOps(graph)
      graph.output('logprobs', scored.forward(ops, weightLayers(ops, look.weights), look.inputs).logprobs)
    })
    const { logprobs } = await cached.program.run(batchFeeds(cached, batch, weights))
    return rowsOf(batch, sequences, logprobs as Float32Array) // a float32 output
  }

  async accumulateSft(sequences: readonly ScoredSequence[], tokenWeights: readonly number[]): Promise<number> {
    const packed = this.#batch(sequences)
    const batch = withTokens(packed, { weights: perToken(packed, sequences, i => tokenWeights[i]!) })
    const cached = await this.#sft.program(batch, (graph, scored, look) => {
      const ops = graphOps(graph)
      const { logprobs } = scored.forward(ops, this.#layers(graph, look.weights, scored.key), look.inputs)
      const loss = sftLoss(ops, logprobs, look.inputs('weights'))
      graph.output('loss', loss)
      differentiate(graph, loss, this.store, look.weights)
    })
    const results = await this.#accumulate(cached, batch)
    return scalarOf(results, 'loss')
  }

  async accumulatePolicy(
    sequences: readonly ScoredSequence[],
    targets: readonly PolicyTarget[],
    options: PolicyLossOptions,
  ): Promise<PolicyLossReport> {
    const packed = this.#batch(sequences)
    const { klCoefficient, ...structure } = options
    const values = (of: (target: PolicyTarget, token: number) => number): Float32Array =>
      perToken(packed, sequences, (i, token) => of(targets[i]!, token))
    const packedBatch = withTokens(packed, {
      weights: values(target => target.tokenWeight),
      klWeights: values(target => target.tokenWeight * klCoefficient),
      oldLogprobs: values((target, token) => target.oldLogprobs[token]!),
      refLogprobs: values((target, token) => target.refLogprobs[token]!),
      advantages: values(({ advantage }, token) => (typeof advantage === 'number' ? advantage : advantage[token]!)),
    })
    const batch = { ...packedBatch, key: `${packedBatch.key} ${JSON.stringify(structure)}` }
    const cached = await this.#policy.program(batch, (graph, scored, look) => {
      const ops = graphOps(graph)
      const layers = this.#layers(graph, look.weights, scored.key)
      const { logprobs, entropy } = scored.forward(ops, layers, look.inputs)
      const { loss, klPenalty, clipFraction } = policyLoss(
        ops,
        {
          policyLogprobs: logprobs,
          oldLogprobs: look.inputs('oldLogprobs'),
          refLogprobs: look.inputs('refLogprobs'),
          advantages: look.inputs('advantages'),
          weights: look.inputs('weights'),
          klWeights: look.inputs('klWeights'),
        },
        structure,
      )
      const outputs = { loss, klPenalty, clipFraction, logprobs, entropy }
      for (const [name, value] of Object.entries(outputs)) graph.output(name, value)
      differentiate(graph, loss, this.store, look.weights)
    })
    const results = await this.#accumulate(cached, batch)
    const [loss, klPenalty, clipFraction] = ['loss', 'klPenalty', 'clipFraction'].map(name => scalarOf(results, name))
    const perSequence = (name: keyof CompletionScores): Float32Array[] =>
      rowsOf(packed, sequences, results[name] as Float32Array) // a float32 output
    const [logprobs, entropies] = [perSequence('logprobs'), perSequence('entropy')]
    const scores = logprobs.map((each, i) => ({ logprobs: each, entropy: entropies[i]! }))
    return { loss: loss!, klPenalty: klPenalty!, clipFraction: clipFraction!, scores }
  }

  update(learningRate: number): UpdateReport {
    if (this.#areSpent) this.store.zeroGradients()
    this.#microbatch = 0
    this.updates++
    const norm = gradientNorm(this.store)
    this.#optimizer.step({ learningRate, gradientScale: clippingScale(norm, this.#options.maxGradientNorm) })
    this.#areSpent = true
    this.#options.adaptation?.refresh()
    return { gradientNorm: norm, learningRate }
  }

  optimizerState(): AdamWState {
    return this.#optimizer.state()
  }

  restoreOptimizer(state: AdamWState): void {
    this.#optimizer.restore(state)
  }

  async close(): Promise<void> {
    await Promise.all([this.#scoring.close(), this.#sft.close(), this.#policy.close(), this.#optimizer.close()])
  }

  #batch(sequences: readonly ScoredSequence[], chunk?: number): ScoreBatch {
    const { decoder, encoders } = this.#model
    const { temperature } = this.#options
    return scoreBatch(decoder, encoders, sequences, { temperature, ...(chunk !== undefined && { chunk }) })
  }

  /** What layers are built with: plain, or with adapters beside the linear ones. */
  #layers(graph: Graph, weights: (name: string) => Tensor, key: string): Layers<Tensor> {
    return this.#options.adaptation?.layers(graph, weights, key) ?? weightLayers(graphOps(graph), weights)
  }

  /** Runs a training pass with fresh dropout where there are adapters. */
  async #accumulate(cached: CachedProgram, batch: ScoreBatch): Promise<Readonly<Record<string, unknown>>> {
    const feeds = this.#options.adaptation?.masks(batch.key, [this.#optimizer.stepCount, this.#microbatch++])
    const results = await runAccumulating(cached, batch, this.store, { feeds, overwrites: this.#areSpent })
    this.#areSpent = false
    return results
  }
}

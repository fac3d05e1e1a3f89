import { weightLayers } from '@qoq-med/encoders'
import { batchFeeds, createProgramCache, type GraphBuilder, type ProgramCache } from '@qoq-med/model'
import {
  clippingScale,
  createAdamW,
  gradientNorm,
  graphOps,
  type AdamW,
  type AdamWOptions,
  type AdamWState,
  type Executor,
  type MemoryMode,
  type ParameterStore,
} from '@qoq-med/tensor'
import type { Adaptation } from './adaptation.ts'
import { differentiate, runAccumulating } from './gradient-program.ts'
import type { Objective, Pass } from './objective.ts'

/** Settings of a learner. */
export interface LearnerOptions {
  readonly weightDecay: number
  /** Which parameters decay. Default: all. */
  readonly decays?: AdamWOptions['decays']
  /** Largest global gradient norm; gradients above it are scaled down. Default: no limit. */
  readonly maxGradientNorm?: number | undefined
  /** Adapters that train in place of the weights. */
  readonly adaptation?: Adaptation | undefined
  /** Checks every value of a run and names the operation that makes a NaN; more than twice as slow. Default false. */
  readonly debug?: boolean | undefined
  /** What training keeps from the forward pass: the less, the slower and the smaller. Default 'fast'. */
  readonly memory?: MemoryMode | undefined
  /** Bytes of computed values from which on a layer is a program of its own, where `memory` is not 'fast'. Default 32 MiB. */
  readonly segmentBytes?: number | undefined
}

/** What an optimizer update did. */
export interface UpdateReport {
  readonly gradientNorm: number
  readonly learningRate: number
}

/**
 * Trains the parameters of a store in this process: forward and backward in the engine, AdamW in WebAssembly. What is
 * minimised is an `Objective`; the learner is the same for all of them.
 */
export interface Learner {
  readonly store: ParameterStore
  /** Optimizer steps so far: it changes whenever the weights do. */
  readonly updates: number
  /** Runs a pass over items under these weights (factors alone, where a base is on disk); the store's, with adapters, by default. */
  evaluate<Item, Report>(
    pass: Pass<Item, Report>,
    items: readonly Item[],
    weights?: (name: string) => Float32Array,
  ): Promise<Report>
  /** Adds the gradient of an objective over a microbatch to the store. */
  accumulate<Item, Report>(objective: Objective<Item, Report>, items: readonly Item[]): Promise<Report>
  /**
   * Clips the accumulated gradients and makes an AdamW step. The next microbatch starts from zero; until then the
   * gradients can be read.
   *
   * @throws TENSOR_NOT_FINITE naming the parameter, before any weight has changed
   */
  update(learningRate: number): UpdateReport
  optimizerState(): AdamWState
  restoreOptimizer(state: AdamWState): void
  /** Frees the compiled graphs and the optimizer. */
  close(): Promise<void>
}

/** Creates a learner over a parameter store. The store's trainable parameters get gradients. */
export function createLearner(executor: Executor, store: ParameterStore, options: LearnerOptions): Learner {
  return new LocalLearner(executor, store, options)
}

/** What is kept per pass. Building a graph for training takes as long as half a step at the nano size. */
const keptPrograms = { capacity: 48, capacityBytes: 2 ** 31, sharesMemory: true }

class LocalLearner implements Learner {
  readonly store: ParameterStore
  updates = 0
  readonly #options: LearnerOptions
  readonly #optimizer: AdamW
  readonly #createCache: (purpose: string) => ProgramCache
  readonly #caches = new Map<string, ProgramCache>()
  /** Microbatches since the last update. */
  #microbatch = 0
  /** Whether nothing in the gradients is to be kept, as after an update: the next microbatch writes over them. */
  #areSpent = true

  constructor(executor: Executor, store: ParameterStore, options: LearnerOptions) {
    const { weightDecay, decays, debug = false, memory = 'fast', segmentBytes, adaptation } = options
    const dataFolder = adaptation?.dataFolder
    this.store = store
    this.#options = options
    this.#optimizer = createAdamW(store, { weightDecay, ...(decays && { decays }) })
    const shapes = new Map(store.parameters.map(({ name, shape }) => [name, shape]))
    this.#createCache = purpose =>
      createProgramCache(executor, shapes, { purpose, ...keptPrograms, debug, memory, segmentBytes, dataFolder })
  }

  async evaluate<Item, Report>(
    pass: Pass<Item, Report>,
    items: readonly Item[],
    weights: (name: string) => Float32Array = this.#options.adaptation?.weights ?? (name => this.store.weights(name)),
  ): Promise<Report> {
    const { adaptation } = this.#options
    const batch = pass.batch(items)
    const cached = await this.#programs(`${pass.name}, forward`).program(batch, (graph, packed, look) => {
      const ops = graphOps(graph)
      const layers = adaptation?.answering(graph, look.weights) ?? weightLayers(ops, look.weights)
      const outputs = packed.build({ ops, layers, ...look })
      for (const [name, value] of Object.entries(outputs)) graph.output(name, value)
    })
    const feeds = await adaptation?.feeds(batch)
    return batch.report(await cached.program.run({ ...batchFeeds(cached, batch, weights), ...feeds }))
  }

  async accumulate<Item, Report>(objective: Objective<Item, Report>, items: readonly Item[]): Promise<Report> {
    const { adaptation } = this.#options
    const batch = objective.batch(items)
    const build: GraphBuilder<typeof batch> = (graph, { key }, look) => {
      const ops = graphOps(graph)
      const layers = adaptation?.layers(graph, look.weights, key) ?? weightLayers(ops, look.weights)
      const outputs = batch.build({ ops, layers, ...look })
      for (const [name, value] of Object.entries(outputs)) graph.output(name, value)
      differentiate(graph, outputs.loss, this.store, look.weights)
    }
    const cached = await this.#programs(objective.name).program(batch, build)
    // Fresh dropout for every pass.
    const masks = adaptation?.masks(batch.key, [this.#optimizer.stepCount, this.#microbatch++])
    const feeds = { ...masks, ...(await adaptation?.feeds(batch)) }
    const results = await runAccumulating(cached, batch, this.store, { feeds, overwrites: this.#areSpent })
    this.#areSpent = false
    return batch.report(results)
  }

  update(learningRate: number): UpdateReport {
    if (this.#areSpent) this.store.zeroGradients()
    const { maxGradientNorm = Infinity, adaptation } = this.#options
    this.#microbatch = 0
    this.updates++
    const norm = gradientNorm(this.store)
    this.#optimizer.step({ learningRate, gradientScale: clippingScale(norm, maxGradientNorm) })
    this.#areSpent = true
    adaptation?.refresh()
    return { gradientNorm: norm, learningRate }
  }

  optimizerState(): AdamWState {
    return this.#optimizer.state()
  }

  restoreOptimizer(state: AdamWState): void {
    this.#optimizer.restore(state)
  }

  async close(): Promise<void> {
    await Promise.all([...[...this.#caches.values()].map(cache => cache.close()), this.#optimizer.close()])
  }

  #programs(purpose: string): ProgramCache {
    const cache = this.#caches.get(purpose) ?? this.#createCache(purpose)
    this.#caches.set(purpose, cache)
    return cache
  }
}

import {
  compileGraph,
  createAdamW,
  createParameterStore,
  gradients,
  Graph,
  graphOps,
  isMatrix,
  type AdamWState,
  type Executor,
  type Feeds,
  type ParameterStore,
  type Program,
  type Tensor,
} from '@qoq-med/tensor'
import type { PreparedEcg } from '../ecg/preprocess-ecg.ts'
import { blockPatchMask, randomPatchMask, type MaskScale, type PatchMask } from './patch-mask.ts'
import {
  ecgPretrainingBatch,
  ecgPretrainingParameterSpecs,
  initialEcgPretraining,
  targetMomentum,
  updateTargetEncoder,
  type EcgPretrainingBatch,
  type EcgPretrainingConfig,
} from './pretraining.ts'

/** Settings of `createEcgPretraining`. */
export interface EcgPretrainingOptions {
  readonly config: EcgPretrainingConfig
  /** How patches are hidden. Default: one by one, 60 to 70 % of them. */
  readonly mask?: { readonly type: 'random' | 'block'; readonly scale: MaskScale }
  /** Steps of the whole training, over which the target's momentum rises to 1. */
  readonly totalSteps: number
  /** Share of a matrix taken away per step and unit of learning rate. Default 0.05. */
  readonly weightDecay?: number
  /** Uniform in [0, 1): initial values, then masks. */
  readonly random: () => number
  /** Weights to begin with, by name; the others are drawn. */
  readonly initial?: ReadonlyMap<string, Float32Array>
}

/** What one step did. */
export interface EcgPretrainingStep {
  readonly loss: number
  readonly maskedPatches: number
}

/** ECG-JEPA's self-supervised training, one step at a time. */
export interface EcgPretraining {
  readonly config: EcgPretrainingConfig
  /** Weights, gradients and moments; `encoder.…` is what a checkpoint keeps. */
  readonly store: ParameterStore
  /** Updates encoder and predictor by AdamW, then lets the target encoder follow. */
  step(items: readonly PreparedEcg[], learningRate: number, mask?: PatchMask): Promise<EcgPretrainingStep>
  /** Updates done and AdamW's moments, for a checkpoint beside the store's weights. */
  optimizerState(): AdamWState
  /** Goes on from a checkpoint; its weights go into the store. @throws as `AdamW.restore` */
  restoreOptimizer(state: AdamWState): void
  /** Frees the compiled graphs. */
  close(): Promise<void>
}

const defaultMask = { type: 'random', scale: [0.6, 0.7] } as const

/**
 * Starts the self-supervised training of an ECG-JEPA encoder. Graphs are compiled as counts of hidden patches occur.
 *
 * @example
 * const pretraining = createEcgPretraining(executor, { config, totalSteps: 1000, random })
 * const { loss } = await pretraining.step(batch, 1e-3)
 */
export function createEcgPretraining(executor: Executor, options: EcgPretrainingOptions): EcgPretraining {
  const { config, mask = defaultMask, totalSteps, weightDecay = 0.05, random, initial } = options
  const specs = ecgPretrainingParameterSpecs(config)
  const trainable = specs.filter(spec => spec.isTrainable).map(spec => spec.name)
  const store = createParameterStore(specs, { trainable: name => trainable.includes(name) })
  for (const [name, values] of initialEcgPretraining(config, random)) {
    const given = initial?.get(name) ?? initial?.get(name.replace(/^target_/, ''))
    store.weights(name).set(given ?? values)
  }
  const optimizer = createAdamW(store, { weightDecay, decays: isMatrix })
  const programs = new Map<string, Promise<Program>>()
  const draw = mask.type === 'random' ? randomPatchMask : blockPatchMask
  return {
    config,
    store,
    async step(items, learningRate, given) {
      const patches = given ?? draw(config.encoder.numPatches, mask.scale, random)
      const batch = ecgPretrainingBatch(config, items, patches)
      const program = programs.get(batch.key) ?? compileStep(executor, batch, store, trainable)
      programs.set(batch.key, program)
      const loss = await runStep(await program, batch, store, trainable)
      optimizer.step({ learningRate })
      const momentum = targetMomentum(optimizer.stepCount - 1, totalSteps)
      updateTargetEncoder(config.encoder, name => store.weights(name), momentum)
      return { loss, maskedPatches: patches.masked.length }
    },
    optimizerState: () => optimizer.state(),
    restoreOptimizer: state => optimizer.restore(state),
    async close() {
      await optimizer.close()
      for (const program of programs.values()) await (await program).close()
    },
  }
}

/** Loss and gradients; parameters are inputs, so that an update needs no new graph. */
function compileStep(
  executor: Executor,
  batch: EcgPretrainingBatch,
  store: ParameterStore,
  trainable: readonly string[],
): Promise<Program> {
  const graph = new Graph()
  const inputs = new Map(Object.entries(batch.inputs).map(([n, t]) => [n, graph.input(n, t.shape, t.dtype)]))
  const weights = new Map<string, Tensor>()
  for (const { name, shape } of store.parameters) weights.set(name, graph.input(name, shape))
  const { loss } = batch.loss(
    graphOps(graph),
    name => weights.get(name)!, // every parameter is declared
    name => inputs.get(name)!, // every input is declared
  )
  graph.output('loss', loss)
  const parameters = trainable.map(name => weights.get(name)!) // declared above
  gradients(graph, loss, parameters).forEach((gradient, i) => graph.output(`d ${trainable[i]}`, gradient))
  return compileGraph(executor, graph)
}

async function runStep(
  program: Program,
  batch: EcgPretrainingBatch,
  store: ParameterStore,
  trainable: readonly string[],
): Promise<number> {
  const feeds: Feeds = {
    ...Object.fromEntries(Object.entries(batch.inputs).map(([name, { data }]) => [name, data])),
    ...Object.fromEntries(store.parameters.map(({ name }) => [name, store.weights(name)])),
  }
  const into = Object.fromEntries(trainable.map(name => [`d ${name}`, store.gradient(name)]))
  const { loss } = await program.run(feeds, { fetch: ['loss'], into })
  return Number(loss![0]) // fetched
}

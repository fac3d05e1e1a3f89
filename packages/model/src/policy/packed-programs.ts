import type { EncoderBatch, Layers } from '@qoq-med/encoders'
import {
  Graph,
  graphOps,
  type ExecutorOptions,
  type Feeds,
  type OrtExecutor,
  type Program,
  type Tensor,
} from '@qoq-med/tensor'
import { packedFiles, type PackedModel } from '../folder/packed-model.ts'
import type { CacheType } from '../generation/cache-codec.ts'
import { recordSteps, StepProgram, type StepPart } from '../generation/step-program.ts'
import { fedAdapters, type PolicyAdapters } from '../lora/fed-adapters.ts'
import { decoderRanges } from '../packed/decoder-ranges.ts'
import { packedLayers } from '../packed/packed-layers.ts'

/** What a runner over packed weights is made of; `PackedPolicyOptions` says what each is. */
export interface PackedRunnerOptions {
  readonly packed: PackedModel
  readonly executor: OrtExecutor
  readonly cacheType?: CacheType | undefined
  readonly adapters?: PolicyAdapters | undefined
  readonly sessions?: number | undefined
}

/** A program and what it is fed with beside its own inputs: the factors of its adapters. */
interface AdaptedProgram {
  readonly program: Program
  readonly feeds: () => Feeds
}

/** The programs over packed weights: one of the decoder, and the last that was wanted of the encoders. */
export class PackedPrograms {
  readonly #options: PackedRunnerOptions
  #steps: Promise<StepProgram> | undefined
  #encoder: { readonly key: string; readonly program: Promise<AdaptedProgram> } | undefined

  constructor(options: PackedRunnerOptions) {
    this.#options = options
  }

  /** Changes whenever adapters do. */
  get version(): number {
    return this.#options.adapters?.version() ?? 0
  }

  /** Runs encoders over a batch. @returns [rows * D] tokens */
  async encode(batch: EncoderBatch): Promise<Float32Array> {
    const { program, feeds: factors } = await this.#encoderProgram(batch)
    const inputs = Object.entries(batch.inputs).map(([name, { data, shape }]) => [name, { data, shape }] as const)
    const { tokens } = (await program.run({ ...Object.fromEntries(inputs), ...factors() })) as { tokens: Float32Array } // its only output
    // Laying out the decoder's weights takes the most memory of all.
    if (!this.#steps) await this.#closeEncoder()
    return tokens
  }

  async close(): Promise<void> {
    const steps = this.#steps
    this.#steps = undefined
    await (await steps?.catch(() => undefined))?.close() // who asked for it was told
    await this.#closeEncoder()
  }

  /** The decoder, loaded on first use. */
  steps(): Promise<StepProgram> {
    const steps = (this.#steps ??= this.#loadSteps())
    // A failed load must not stay: the next call tries again.
    steps.catch(() => (this.#steps = undefined))
    return steps
  }

  /** The layers of large models are several programs, since the runtime lays the weights of one out on one core. */
  async #loadSteps(): Promise<StepProgram> {
    const { packed, cacheType = 'float32', sessions } = this.#options
    const { decoder } = packed.model.config
    const ranges = decoderRanges(packed.layouts.decoder, decoder, sessions)
    const loading = ranges.map(async (range, lane): Promise<StepPart> => {
      const graph = new Graph()
      const { layers, feeds } = this.#layers(graph, 'decoder')
      recordSteps(graph, decoder, layers, { cacheType, range })
      return { range, feeds, program: await this.#checked(graph, ranges.length > 1 ? { lane } : {}) }
    })
    const loaded = await Promise.allSettled(loading)
    const failed = loaded.find(each => each.status === 'rejected')
    const parts = loaded.flatMap(each => (each.status === 'fulfilled' ? [each.value] : []))
    if (failed === undefined) return new StepProgram(decoder, parts)
    for (const { program } of parts) await program.close()
    throw failed.reason
  }

  /** Layers of a file, with adapters where there are some: activations stay exact then, as in the passes that train them. */
  #layers(graph: Graph, part: 'decoder' | 'encoders'): { layers: Layers<Tensor>; feeds: () => Feeds } {
    const ops = graphOps(graph)
    const { packed, adapters } = this.#options
    const layout = packed.layouts[part]
    const layers = packedLayers(graph, ops, layout, packedFiles[part], { isExact: adapters !== undefined })
    if (!adapters) return { layers, feeds: () => ({}) }
    const fed = fedAdapters(graph, ops, layers, adapters)
    const feeds = (): Feeds => Object.fromEntries([...fed.names].map(name => [name, adapters.factors(name)]))
    return { layers: fed.layers, feeds }
  }

  /** The files are compared with what was written while the runtime lays the weights out. */
  async #checked(graph: Graph, options: ExecutorOptions = {}): Promise<Program> {
    const { packed, executor } = this.#options
    const loading = executor.compile(graph, { ...options, dataFolder: packed.folder })
    const [loaded, verified] = await Promise.allSettled([loading, packed.verified])
    if (loaded.status === 'fulfilled' && verified.status === 'fulfilled') return loaded.value
    if (loaded.status === 'fulfilled') await loaded.value.close()
    throw verified.status === 'rejected' ? verified.reason : (loaded as PromiseRejectedResult).reason
  }

  /** One program is kept, since each has the encoders' weights once more. */
  async #encoderProgram(batch: EncoderBatch): Promise<AdaptedProgram> {
    if (this.#encoder?.key === batch.key) return this.#encoder.program
    await this.#closeEncoder()
    const program = this.#loadEncoder(batch)
    this.#encoder = { key: batch.key, program }
    // A failed load must not stay: the next call tries again.
    program.catch(() => (this.#encoder = undefined))
    return program
  }

  async #closeEncoder(): Promise<void> {
    const old = this.#encoder
    this.#encoder = undefined
    await (await old?.program.catch(() => undefined))?.program.close() // who asked for it was told
  }

  async #loadEncoder(batch: EncoderBatch): Promise<AdaptedProgram> {
    const graph = new Graph()
    const ops = graphOps(graph)
    const inputs = new Map(
      Object.entries(batch.inputs).map(([name, { shape, dtype }]) => [name, graph.input(name, shape, dtype)]),
    )
    const { layers, feeds } = this.#layers(graph, 'encoders')
    graph.output(
      'tokens',
      batch.forward(ops, layers, name => inputs.get(name)!),
    ) // a batch asks for its own inputs
    // The values of a large picture are given back.
    return { program: await this.#checked(graph, { keepsMemory: false }), feeds }
  }
}

import type { Layers } from '@qoq-med/encoders'
import {
  compileGraph,
  Graph,
  graphOps,
  sizeOf,
  type Executor,
  type Feeds,
  type Program,
  type ShapedArray,
  type Tensor,
} from '@qoq-med/tensor'
import type { DecoderConfig } from '../decoder/decoder-config.ts'
import { newestAttention } from '../decoder/attention.ts'
import { recordCachedDecoder, type DecodeOutputs } from './decode-graph.ts'
import { constantLayers, fedLayers, type NamedWeights, type WeightsType } from './decode-layers.ts'

/** How the decode step reaches its weights. */
export interface DecodeProgramOptions {
  readonly executor: Executor
  readonly config: DecoderConfig
  readonly weights: NamedWeights
  /** Whether weights are part of the program; else they are fed at every run. */
  readonly isPacked: boolean
  readonly weightsType: WeightsType
  /** Changes when the weights did; a packed program is then built again, at the next run. */
  readonly version: () => number
}

function outputShapes({
  numLayers,
  numKvHeads,
  headDim,
  vocabSize,
}: DecoderConfig): Record<keyof DecodeOutputs, (rows: number) => number[]> {
  return {
    present: rows => [2 * numLayers, rows, numKvHeads * headDim],
    logits: rows => [rows, vocabSize],
    probabilities: rows => [rows, vocabSize],
    peak: rows => [rows],
  }
}

interface Built {
  readonly program: Program
  readonly fed: readonly string[]
  readonly version: number
}

/** The decode step as one program for all numbers of sequences and all lengths. */
export class DecodeProgram {
  readonly #options: DecodeProgramOptions
  readonly #targets = new Map<string, Float32Array>()
  #built: Promise<Built> | undefined

  constructor(options: DecodeProgramOptions) {
    this.#options = options
  }

  /**
   * One token further. The outputs are valid until the next run.
   *
   * @param rows B, sequences of the feeds
   * @throws TENSOR_RUNTIME_FAILED, TENSOR_FEED when a weight does not fit
   */
  async run(feeds: Feeds, rows: number, wanted: readonly (keyof DecodeOutputs)[]): Promise<DecodeOutputs> {
    const { program, fed } = await this.#current()
    const { values } = this.#options.weights
    const weights = Object.fromEntries(fed.map(name => [name, values(name)]))
    const into = Object.fromEntries(wanted.map(name => [name, this.#target(name, rows)]))
    await program.run({ ...feeds, ...weights }, { into, fetch: [] })
    return Object.fromEntries(wanted.map(name => [name, into[name]!.data])) as object as DecodeOutputs // `present` is always wanted
  }

  /** The same memory at every run: new arrays for every token would keep the garbage collector busy. */
  #target(name: keyof DecodeOutputs, rows: number): ShapedArray & { readonly data: Float32Array } {
    const shape = outputShapes(this.#options.config)[name](rows)
    const size = sizeOf(shape)
    const known = this.#targets.get(name)
    const memory = known && known.length >= size ? known : new Float32Array(new SharedArrayBuffer(4 * size))
    this.#targets.set(name, memory)
    return { data: memory.subarray(0, size), shape }
  }

  async close(): Promise<void> {
    const built = await this.#built?.catch(() => undefined) // who ran it was told
    this.#built = undefined
    await built?.program.close()
  }

  async #current(): Promise<Built> {
    const version = this.#options.version()
    const built = await this.#built?.catch(() => undefined) // a failed build is tried again
    if (built && (built.version === version || !this.#options.isPacked)) return built
    await this.close() // first, so that the weights are not packed twice at a time
    this.#built = this.#build(version)
    return this.#built
  }

  async #build(version: number): Promise<Built> {
    const { executor, config, weights, isPacked, weightsType } = this.#options
    const graph = new Graph()
    const ops = graphOps(graph)
    const fed = isPacked ? undefined : fedLayers(graph, ops, weights)
    recordDecode(graph, config, fed ?? constantLayers(graph, ops, weights, weightsType))
    // Packed weights are large constants: nothing of them can be folded, and comparing them would take long.
    const program = await compileGraph(executor, graph, { simplify: !isPacked })
    return { program, fed: [...(fed?.names ?? [])], version }
  }
}

/** The decoder for one new token per sequence. */
function recordDecode(graph: Graph, config: DecoderConfig, layers: Layers<Tensor>): void {
  recordCachedDecoder(graph, config, layers, { attend: (ops, past) => newestAttention(ops, config, past) })
}

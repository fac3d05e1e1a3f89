import type { Layers } from '@qoq-med/encoders'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { sizeOf, type Feeds, type Graph, type Program, type ShapedArray, type Tensor } from '@qoq-med/tensor'
import type { DecoderConfig } from '../decoder/decoder-config.ts'
import { cachedAttention } from '../decoder/attention.ts'
import type { LayerRange } from '../decoder/decoder.ts'
import { hidden } from '../decoder/later-tokens-mask.ts'
import type { CacheType } from './cache-codec.ts'
import { recordCachedDecoder, type DecodeOutputs } from './decode-graph.ts'

/** Tokens of a prompt that are computed at a time: as fast as more, and what they take in memory stays small. */
export const chunkTokens = 256

/** How step programs are recorded. */
export interface StepOptions {
  /** How the cache keeps keys and values. Default float32. */
  readonly cacheType?: CacheType
  /** Layers of this program. Default all. */
  readonly range?: LayerRange
}

/**
 * Records the decoder for T new tokens of each of B sequences: one program, and so one copy of the weights, for the chunks
 * of a prompt, for scoring and for decoding. Inputs beside those of `recordCachedDecoder`: ownMask [1, 1, G * T, T]; of the last
 * layers rows, int32 [N], the tokens whose logits are wanted.
 */
export function recordSteps(
  graph: Graph,
  config: DecoderConfig,
  layers: Layers<Tensor>,
  options: StepOptions = {},
): void {
  recordCachedDecoder(graph, config, layers, {
    ...options,
    attend: (ops, past) => cachedAttention(ops, config, { ...past, ownMask: graph.input('ownMask', [1, 1, -1, -1]) }),
    wanted: (ops, states) => ops.gatherRows(states, graph.input('rows', [-1], 'int32')),
  })
}

/** Which of T new tokens see which: each itself and those before it; for all G query heads of a key head. */
export function ownMask({ numHeads, numKvHeads }: DecoderConfig, tokens: number): ShapedArray {
  const groups = numHeads / numKvHeads
  const data = new Float32Array(groups * tokens * tokens)
  for (let row = 0; row < groups * tokens; row++)
    data.fill(hidden, row * tokens + (row % tokens) + 1, (row + 1) * tokens)
  return { data, shape: [1, 1, groups * tokens, tokens] }
}

/** A loaded program of some of the layers. */
export interface StepPart {
  readonly range: LayerRange
  readonly program: Program
  /** What every run is fed with beside its own feeds. */
  readonly feeds: () => Feeds
}

type Targets = Readonly<Record<string, ShapedArray & { readonly data: Float32Array }>>

/** The decoder as programs of its layers, run one after the other; outputs lie on the same memory at every run. */
export class StepProgram {
  readonly #config: DecoderConfig
  readonly #parts: readonly StepPart[]
  readonly #targets = new Map<string, Float32Array>()
  #turn: Promise<unknown> = Promise.resolve()

  /** @param parts all layers, in their order */
  constructor(config: DecoderConfig, parts: readonly StepPart[]) {
    this.#config = config
    this.#parts = parts
  }

  /**
   * Runs after the runs that were asked for before.
   *
   * @param tokens B * T
   * @param rows N
   * @returns outputs that are valid until the caller waits for something else
   */
  run(
    feeds: Feeds,
    sizes: { readonly tokens: number; readonly rows: number },
    wanted: readonly (keyof DecodeOutputs)[],
  ): Promise<DecodeOutputs> {
    const outputs = this.#turn.then(() => this.#run(feeds, sizes, wanted))
    // Whoever asked reads the outputs before the next run writes over them.
    this.#turn = outputs.then(
      () => nextTurn(),
      () => undefined,
    )
    return outputs
  }

  async close(): Promise<void> {
    await this.#turn
    for (const { program } of this.#parts) await program.close()
  }

  async #run(
    feeds: Feeds,
    { tokens, rows }: { readonly tokens: number; readonly rows: number },
    wanted: readonly (keyof DecodeOutputs)[],
  ): Promise<DecodeOutputs> {
    const { numLayers, numKvHeads, headDim, hiddenSize, vocabSize } = this.#config
    const shapes: Record<keyof DecodeOutputs, readonly number[]> = {
      present: [2 * numLayers, tokens, numKvHeads * headDim],
      logits: [rows, vocabSize],
      probabilities: [rows, vocabSize],
      peak: [rows],
    }
    const into: Targets = Object.fromEntries(wanted.map(name => [name, this.#target(name, shapes[name])]))
    const states = this.#target('states', [tokens, hiddenSize])
    for (const { range, program, feeds: extra } of this.#parts) {
      const embeddings = range.first > 0 ? { embeddings: states } : {}
      const given: Feeds = { ...feeds, ...embeddings, ...extra() }
      const present = presentOf(into['present']!, range) // always wanted
      const own = range.end < numLayers ? { hidden: states, present } : { ...into, present }
      await program.run(among(program.inputs, given), { into: own, fetch: [] })
    }
    return Object.fromEntries(wanted.map(name => [name, into[name]!.data])) as object as DecodeOutputs // `present` is always wanted
  }

  #target(name: string, shape: readonly number[]): Targets[string] {
    const size = sizeOf(shape)
    const known = this.#targets.get(name)
    const memory = known && known.length >= size ? known : new Float32Array(new SharedArrayBuffer(4 * size))
    this.#targets.set(name, memory)
    return { data: memory.subarray(0, size), shape }
  }
}

/** The keys and values of some layers among those of all. */
function presentOf({ data, shape: [, ...rest] }: Targets[string], { first, end }: LayerRange): Targets[string] {
  const size = sizeOf(rest)
  return { data: data.subarray(2 * first * size, 2 * end * size), shape: [2 * (end - first), ...rest] }
}

function among(inputs: Program['inputs'], feeds: Feeds): Feeds {
  return Object.fromEntries(inputs.flatMap(({ name }) => (feeds[name] ? [[name, feeds[name]]] : [])))
}

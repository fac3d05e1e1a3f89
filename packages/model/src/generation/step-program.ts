import type { Layers } from '@qoq-med/encoders'
import { sizeOf, type Feeds, type Graph, type Program, type ShapedArray, type Tensor } from '@qoq-med/tensor'
import type { DecoderConfig } from '../decoder/decoder-config.ts'
import { cachedAttention } from '../decoder/attention.ts'
import { hidden } from '../decoder/later-tokens-mask.ts'
import type { CacheType } from './cache-codec.ts'
import { recordCachedDecoder, type DecodeOutputs } from './decode-graph.ts'

/** Tokens of a prompt that are computed at a time: as fast as more, and what they take in memory stays small. */
export const chunkTokens = 256

/**
 * Records the decoder for T new tokens of each of B sequences: one program, and so one copy of the weights, for the chunks
 * of a prompt, for scoring and for decoding. Inputs beside those of `recordCachedDecoder`: ownMask [1, 1, G * T, T]; rows
 * int32 [N], the tokens whose logits are wanted.
 */
export function recordSteps(
  graph: Graph,
  config: DecoderConfig,
  layers: Layers<Tensor>,
  cacheType: CacheType = 'float32',
): void {
  recordCachedDecoder(graph, config, layers, {
    cacheType,
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

/** A loaded step program; its outputs lie on the same memory at every run. */
export class StepProgram {
  readonly #config: DecoderConfig
  readonly #program: Program
  readonly #extra: () => Feeds
  readonly #targets = new Map<string, Float32Array>()

  /** @param extra what every run is fed with beside its own feeds */
  constructor(config: DecoderConfig, program: Program, extra: () => Feeds = () => ({})) {
    this.#config = config
    this.#extra = extra
    this.#program = program
  }

  /**
   * @param tokens B * T
   * @param rows N
   * @returns outputs that are valid until the next run
   */
  async run(
    feeds: Feeds,
    { tokens, rows }: { readonly tokens: number; readonly rows: number },
    wanted: readonly (keyof DecodeOutputs)[],
  ): Promise<DecodeOutputs> {
    const { numLayers, numKvHeads, headDim, vocabSize } = this.#config
    const shapes: Record<keyof DecodeOutputs, readonly number[]> = {
      present: [2 * numLayers, tokens, numKvHeads * headDim],
      logits: [rows, vocabSize],
      probabilities: [rows, vocabSize],
      peak: [rows],
    }
    const into = Object.fromEntries(wanted.map(name => [name, this.#target(name, shapes[name])]))
    await this.#program.run({ ...feeds, ...this.#extra() }, { into })
    return Object.fromEntries(wanted.map(name => [name, into[name]!.data])) as object as DecodeOutputs // `present` is always wanted
  }

  async close(): Promise<void> {
    await this.#program.close()
  }

  #target(name: string, shape: readonly number[]): ShapedArray & { readonly data: Float32Array } {
    const size = sizeOf(shape)
    const known = this.#targets.get(name)
    const memory = known && known.length >= size ? known : new Float32Array(new SharedArrayBuffer(4 * size))
    this.#targets.set(name, memory)
    return { data: memory.subarray(0, size), shape }
  }
}

import { weightLayers, type EncoderBatch } from '@qoq-med/encoders'
import { graphOps, type Executor, type Feeds, type TypedArray } from '@qoq-med/tensor'
import type { DecoderConfig } from '../decoder/decoder-config.ts'
import { embeddingName } from '../decoder/decoder.ts'
import { packedBytes, type NamedWeights, type WeightsType } from '../generation/decode-layers.ts'
import type { DecodeOutputs } from '../generation/decode-graph.ts'
import { DecodeProgram } from '../generation/decode-program.ts'
import type { Prefilled } from '../generation/engine-model.ts'
import { prefillBatch, prefillBuilder, type EncodedMedia } from '../generation/prefill-batch.ts'
import { requireOption } from '../generation/require-option.ts'
import type { Encoded } from '../prompt/encoded.ts'
import { mediaBatch, type MediaBatch } from '../composition/media-batch.ts'
import type { ScoredSequence } from '../scoring/scored-sequence.ts'
import type { PolicyModel } from '../composition/policy-model.ts'
import type { PolicyRunner, ScoreOptions } from './policy-runner.ts'
import {
  batchFeeds,
  createProgramCache,
  type GraphBuilder,
  type Keyed,
  type ProgramCache,
} from '../programs/program-cache.ts'
import { scoringBatch, type ScoreBatch } from '../scoring/score-batch.ts'

/** What a runner over weights in memory is made of; `LocalPolicyOptions` says what each is. */
export interface WeightsRunnerOptions {
  readonly model: PolicyModel
  readonly weights: (name: string) => Float32Array
  readonly executor: Executor
  readonly weightsVersion?: 'frozen' | (() => number)
  readonly weightsType?: WeightsType
  readonly maxScoreTokens?: number
}

/** Runs a model whose weights are float32 in memory, read in place at every run. */
export class WeightsRunner implements PolicyRunner {
  readonly config: DecoderConfig
  readonly #model: PolicyModel
  readonly #weights: (name: string) => Float32Array
  readonly #programs: ProgramCache
  readonly #decode: DecodeProgram
  readonly #maxScoreTokens: number

  /** @throws MODEL_OPTION_INVALID for rounded weights that are not frozen */
  constructor(options: WeightsRunnerOptions) {
    const { model, weights, executor, maxScoreTokens = 4096 } = options
    this.config = model.config.decoder
    this.#model = model
    this.#weights = weights
    this.#maxScoreTokens = maxScoreTokens
    const shapes = new Map(model.parameters.map(({ name, shape }) => [name, shape]))
    this.#programs = createProgramCache(executor, shapes, { purpose: 'policy', capacity: 64 })
    this.#decode = decodeProgram(options, shapes)
  }

  async prefill(prompts: readonly Encoded[]): Promise<Prefilled[]> {
    const batch = prefillBatch(this.config, prompts, await this.#encodeMedia(prompts))
    const outputs = (await this.#run(batch, prefillBuilder(this.config))) as Record<string, Float32Array> // all float32
    const { logits, ...slices } = outputs
    const { vocabSize } = this.config
    return prompts.map((_, index) => ({
      logits: logits!.subarray(index * vocabSize, (index + 1) * vocabSize),
      slices,
      index,
      padded: batch.length,
    }))
  }

  decode(feeds: Feeds, rows: number, wanted: readonly (keyof DecodeOutputs)[]): Promise<DecodeOutputs> {
    return this.#decode.run(feeds, rows, wanted)
  }

  async embed(tokenIds: readonly number[], target: Float32Array): Promise<void> {
    const { hiddenSize } = this.config
    const table = this.#weights(`${embeddingName}.weight`)
    for (const [row, id] of tokenIds.entries())
      target.set(table.subarray(id * hiddenSize, (id + 1) * hiddenSize), row * hiddenSize)
  }

  async logprobs(sequences: readonly ScoredSequence[], { temperature, signal }: ScoreOptions): Promise<Float32Array[]> {
    const results: Float32Array[] = []
    for (const indices of scoreGroups(sequences, this.#maxScoreTokens)) {
      signal?.throwIfAborted()
      const group = indices.map(index => sequences[index]!)
      const batch = scoringBatch(this.config, this.#model.encoders, group, { temperature })
      const { logprobs } = (await this.#run(batch, recordScores)) as { logprobs: Float32Array } // the graph's only output
      for (const [i, index] of indices.entries()) {
        const start = batch.starts[i]!
        results[index] = logprobs.slice(start, start + sequences[index]!.completion.length)
      }
    }
    return results
  }

  async logits(prompt: Encoded): Promise<Float32Array> {
    const batch = prefillBatch(this.config, [prompt], await this.#encodeMedia([prompt]), 'all')
    const { logits } = (await this.#run(batch, prefillBuilder(this.config))) as { logits: Float32Array } // its only output
    return logits.slice(0, prompt.tokenIds.length * this.config.vocabSize)
  }

  async encode(batch: EncoderBatch): Promise<Float32Array> {
    const { tokens } = (await this.#run({ ...batch, key: `embed ${batch.key}` }, recordMedia)) as {
      tokens: Float32Array
    } // its only output
    return tokens
  }

  async close(): Promise<void> {
    await Promise.all([this.#programs.close(), this.#decode.close()])
  }

  async #run<Batch extends Keyed>(batch: Batch, build: GraphBuilder<Batch>): Promise<Record<string, TypedArray>> {
    const cached = await this.#programs.program(batch, build)
    return cached.program.run(batchFeeds(cached, batch, this.#weights))
  }

  async #encodeMedia(prompts: readonly Encoded[]): Promise<EncodedMedia | undefined> {
    const media = mediaBatch(this.#model.encoders, prompts)
    if (media.rows === 0) return undefined
    const { tokens } = (await this.#run({ ...media, key: `media ${media.key}` }, recordMedia)) as {
      tokens: Float32Array
    } // its only output
    return { tokens, rows: media.rows, firstRows: prompt => media.firstRows(prompt) }
  }
}

/** Changing weights are packed up to this size: beyond, packing takes longer than it saves (bench/RESULTS.md). */
const maxChangingBytes = 128 * 2 ** 20
/** Frozen weights are packed up to this size, since the memory is taken twice. */
const maxFrozenBytes = 4 * 2 ** 30

function decodeProgram(
  { model, executor, weights, weightsVersion, weightsType = 'float32' }: WeightsRunnerOptions,
  shapes: NamedWeights['shapes'],
): DecodeProgram {
  const isFrozen = weightsVersion === 'frozen'
  const allowed = 'float32 while the weights are not frozen'
  requireOption(weightsType === 'float32' || isFrozen, 'weightsType', weightsType, allowed)
  const config = model.config.decoder
  const named = { values: weights, shapes }
  const limit = weightsVersion === undefined ? 0 : isFrozen ? maxFrozenBytes : maxChangingBytes
  return new DecodeProgram({
    executor,
    config,
    weights: named,
    weightsType,
    isPacked: weightsType !== 'float32' || packedBytes(config, named) <= limit,
    version: typeof weightsVersion === 'function' ? weightsVersion : () => 0,
  })
}

const recordScores: GraphBuilder<ScoreBatch> = (graph, batch, { weights, inputs }) => {
  const ops = graphOps(graph)
  graph.output('logprobs', batch.forward(ops, weightLayers(ops, weights), inputs).logprobs)
}

const recordMedia: GraphBuilder<Pick<MediaBatch, 'key' | 'inputs' | 'forward'>> = (
  graph,
  batch,
  { weights, inputs },
) => {
  const ops = graphOps(graph)
  graph.output('tokens', batch.forward(ops, weightLayers(ops, weights), inputs)!) // there are media
}

/** Groups sequences of similar lengths so that a group, padded to its longest, has at most `limit` tokens. */
function scoreGroups(sequences: readonly ScoredSequence[], limit: number): number[][] {
  const lengthOf = (index: number): number =>
    sequences[index]!.prompt.tokenIds.length + sequences[index]!.completion.length
  const order = sequences.map((_, index) => index).toSorted((a, b) => lengthOf(b) - lengthOf(a))
  const groups: number[][] = []
  for (const index of order) {
    const group = groups.at(-1)
    if (group !== undefined && (group.length + 1) * lengthOf(group[0]!) <= limit) group.push(index)
    else groups.push([index])
  }
  return groups
}

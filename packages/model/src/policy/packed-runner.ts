import type { EncoderBatch } from '@qoq-med/encoders'
import type { Feeds } from '@qoq-med/tensor'
import { mediaBatch, type MediaBatch } from '../composition/media-batch.ts'
import type { DecoderConfig } from '../decoder/decoder-config.ts'
import { rotaryTables } from '../decoder/rotary-tables.ts'
import type { PackedModel } from '../folder/packed-model.ts'
import type { CacheType } from '../generation/cache-codec.ts'
import type { DecodeOutputs } from '../generation/decode-graph.ts'
import type { Prefilled } from '../generation/engine-model.ts'
import { KvCache } from '../generation/kv-cache.ts'
import { promptPositions, type EncodedMedia } from '../generation/prefill-batch.ts'
import { lengthBucket } from '../generation/size-buckets.ts'
import { chunkTokens, ownMask } from '../generation/step-program.ts'
import type { Encoded } from '../prompt/encoded.ts'
import { chosenLogprobs } from '../scoring/chosen-logprobs.ts'
import { PackedPrograms, type PackedRunnerOptions } from './packed-programs.ts'
import type { ScoredSequence } from '../scoring/scored-sequence.ts'
import type { PolicyRunner, ScoreOptions } from './policy-runner.ts'
import { sharedTokens, type TokenRun } from './token-run.ts'

/** Rows of the vocabulary head at a time when all are wanted. */
const logitRows = 64

/** Runs a model whose weights are packed: one program and one copy of the weights for prompts, answers and scores. */
export class PackedRunner implements PolicyRunner {
  readonly config: DecoderConfig
  readonly cacheType: CacheType
  readonly #packed: PackedModel
  readonly #programs: PackedPrograms
  /** The last prompt: one that begins alike, such as the next turn of a chat, goes on from there. */
  #latest: { readonly run: TokenRun; readonly cache: KvCache; readonly version: number } | undefined

  constructor(options: PackedRunnerOptions) {
    const { packed, cacheType = 'float32' } = options
    this.cacheType = cacheType
    this.config = packed.model.config.decoder
    this.#packed = packed
    this.#programs = new PackedPrograms(options)
  }

  async prefill(
    prompts: readonly Encoded[],
    isDropped: (index: number) => boolean = () => false,
  ): Promise<(Prefilled | undefined)[]> {
    const media = await this.#encodeMedia(prompts)
    const prefilled: (Prefilled | undefined)[] = []
    for (const [index, prompt] of prompts.entries()) {
      const done = await this.#prefillOne(prompt, { media, isDropped: () => isDropped(index) })
      prefilled.push(
        done && { logits: done.logits, slices: done.cache.arrays(), index: 0, padded: done.cache.capacity.length },
      )
    }
    return prefilled
  }

  async decode(feeds: Feeds, rows: number, wanted: readonly (keyof DecodeOutputs)[]): Promise<DecodeOutputs> {
    const steps = await this.#programs.steps()
    const all = Int32Array.from({ length: rows }, (_, row) => row)
    const own = { ownMask: ownMask(this.config, 1), rows: { data: all, shape: [rows] } }
    return steps.run({ ...feeds, ...own }, { tokens: rows, rows }, wanted)
  }

  embed(tokenIds: readonly number[], target: Float32Array): Promise<void> {
    return this.#packed.embed(tokenIds, target)
  }

  async logprobs(sequences: readonly ScoredSequence[], { temperature, signal }: ScoreOptions): Promise<Float32Array[]> {
    const results: Float32Array[] = []
    for (const [prompt, members] of Map.groupBy(sequences.keys(), i => sequences[i]!.prompt)) {
      const media = await this.#encodeMedia([prompt])
      const prefilled = await this.#prefillOne(prompt, { media, isDropped: () => signal?.aborted === true })
      if (!prefilled) throw signal?.reason
      const { cache, logits } = prefilled
      for (const index of members) {
        signal?.throwIfAborted()
        const { completion } = sequences[index]!
        cache.reserve(1, lengthBucket(prompt.tokenIds.length + completion.length))
        const scores = chosenLogprobs(logits, completion.subarray(0, 1), temperature)
        // Each token but the last predicts the next.
        const run = await this.#completionRun(prompt, completion.subarray(0, -1))
        const rest: Float32Array[] = []
        await this.#through(cache, run, (start, part) => {
          const count = part.length / this.config.vocabSize
          rest.push(chosenLogprobs(part, completion.subarray(1 + start, 1 + start + count), temperature))
        })
        results[index] = Float32Array.from([scores, ...rest].flatMap(each => [...each]))
        cache.truncate(0, prompt.tokenIds.length)
      }
    }
    return results
  }

  async logits(prompt: Encoded): Promise<Float32Array> {
    const { vocabSize } = this.config
    const all = new Float32Array(prompt.tokenIds.length * vocabSize)
    const cache = this.#cacheFor(prompt)
    const run = await this.#promptRun(prompt, await this.#encodeMedia([prompt]))
    await this.#through(cache, run, (start, part) => all.set(part, start * vocabSize))
    return all
  }

  encode(batch: EncoderBatch): Promise<Float32Array> {
    return this.#programs.encode(batch)
  }

  async close(): Promise<void> {
    this.#latest = undefined
    await this.#programs.close()
  }

  /** @returns nothing when the prompt was dropped meanwhile */
  async #prefillOne(
    prompt: Encoded,
    { media, isDropped }: { readonly media: EncodedMedia | undefined; readonly isDropped: () => boolean },
  ): Promise<{ cache: KvCache; logits: Float32Array } | undefined> {
    const run = await this.#promptRun(prompt, media)
    const cache = new KvCache(this.config, this.cacheType)
    cache.reserve(1, lengthBucket(prompt.tokenIds.length))
    const { version } = this.#programs
    const latest = this.#latest?.version === version ? this.#latest : undefined
    const start = latest ? sharedTokens(this.config, latest.run, run) : 0
    if (latest && start > 0) {
      const { cache: known } = latest
      cache.add(known.arrays(), 0, known.capacity.length, start)
    } else cache.open()
    const logits = await this.#last(cache, run, { start, isDropped })
    if (!logits) return undefined
    this.#latest = { run, cache, version }
    return { cache, logits }
  }

  #cacheFor(prompt: Encoded): KvCache {
    const cache = new KvCache(this.config, this.cacheType)
    cache.reserve(1, lengthBucket(prompt.tokenIds.length))
    cache.open()
    return cache
  }

  /** Runs tokens from `start` on through the model, into a cache of one row that has those before. @returns logits [V] of the last */
  async #last(
    cache: KvCache,
    run: TokenRun,
    { start: first, isDropped }: { readonly start: number; readonly isDropped: () => boolean },
  ): Promise<Float32Array | undefined> {
    const count = run.embeddings.length / this.config.hiddenSize
    for (let start = first; !isDropped(); start += chunkTokens) {
      const end = Math.min(count, start + chunkTokens)
      const logits = await this.#chunk(cache, run, { start, end, rows: [end - start - 1] })
      if (end === count) return logits.slice()
    }
    return undefined
  }

  /** Runs tokens through the model and gives the logits [n, V] of all, some at a time, from token `start` on. */
  async #through(cache: KvCache, run: TokenRun, take: (start: number, logits: Float32Array) => void): Promise<void> {
    const count = run.embeddings.length / this.config.hiddenSize
    for (let start = 0; start < count; start += logitRows) {
      const end = Math.min(count, start + logitRows)
      const rows = Array.from({ length: end - start }, (_, i) => i)
      take(start, await this.#chunk(cache, run, { start, end, rows }))
    }
  }

  async #chunk(
    cache: KvCache,
    { embeddings, positionIds }: TokenRun,
    { start, end, rows }: { readonly start: number; readonly end: number; readonly rows: readonly number[] },
  ): Promise<Float32Array> {
    const steps = await this.#programs.steps()
    const { config } = this
    const { hiddenSize, headDim, mropeSection } = config
    const tokens = end - start
    const axes = mropeSection ? 3 : 1
    const total = positionIds.length / axes
    const ids = Int32Array.from({ length: axes * tokens }, (_, i) => {
      return positionIds[Math.floor(i / tokens) * total + start + (i % tokens)]!
    })
    const { cos, sin } = rotaryTables(config, ids)
    const feeds: Feeds = {
      embeddings: {
        data: embeddings.slice(start * hiddenSize, end * hiddenSize),
        shape: [tokens, hiddenSize],
      },
      cos: { data: cos, shape: [tokens, headDim / 2] },
      sin: { data: sin, shape: [tokens, headDim / 2] },
      rows: { data: Int32Array.from(rows), shape: [rows.length] },
      inverseTemperature: { data: new Float32Array(rows.length).fill(1), shape: [rows.length, 1] },
      ownMask: ownMask(config, tokens),
      ...cache.feeds(1),
    }
    const outputs = await steps.run(feeds, { tokens, rows: rows.length }, ['present', 'logits'])
    cache.append(outputs.present, { batch: 1, tokens })
    return outputs.logits! // asked for
  }

  async #promptRun(prompt: Encoded, media: EncodedMedia | undefined): Promise<TokenRun> {
    const { hiddenSize } = this.config
    const embeddings = new Float32Array(prompt.tokenIds.length * hiddenSize)
    await this.#packed.embed(prompt.tokenIds, embeddings)
    const { vision = 0, ecg = 0 } = media?.firstRows(prompt) ?? {}
    const put = (at: number, row: number): void => {
      if (media) embeddings.set(media.tokens.subarray(row * hiddenSize, (row + 1) * hiddenSize), at * hiddenSize)
    }
    for (const [i, at] of prompt.visionPositions.entries()) put(at, vision + i)
    for (const [i, at] of prompt.ecgPositions.entries()) put(at, ecg + i)
    return { embeddings, positionIds: promptPositions(this.config, prompt) }
  }

  /** All axes advance together in a completion. */
  async #completionRun({ tokenIds, ropeDelta }: Encoded, completion: Int32Array): Promise<TokenRun> {
    const { hiddenSize, mropeSection } = this.config
    const embeddings = new Float32Array(completion.length * hiddenSize)
    await this.#packed.embed(completion, embeddings)
    const positionIds = Int32Array.from({ length: (mropeSection ? 3 : 1) * completion.length }, (_, i) => {
      return tokenIds.length + (i % completion.length) + ropeDelta
    })
    return { embeddings, positionIds }
  }

  async #encodeMedia(prompts: readonly Encoded[]): Promise<EncodedMedia | undefined> {
    const media = mediaBatch(this.#packed.model.encoders, prompts, 'exact')
    if (media.rows === 0) return undefined
    const tokens = await this.encode(encodable(media))
    return { tokens, rows: media.rows, firstRows: prompt => media.firstRows(prompt) }
  }
}

function encodable(media: MediaBatch): EncoderBatch {
  return { ...media, forward: (ops, layers, inputs) => media.forward(ops, layers, inputs)! } // there are media
}

import { weightLayers, type EncoderBatch } from '@qoq-med/encoders'
import { type Executor, graphOps, type TypedArray } from '@qoq-med/tensor'
import { modelErrors } from '../errors.ts'
import { createEventQueue, type EventQueue } from '../generation/event-queue.ts'
import { embeddingName } from '../decoder/decoder.ts'
import { DecodeProgram } from '../generation/decode-program.ts'
import { GenerationEngine, type EngineOptions, type PromptJob } from '../generation/generation-engine.ts'
import { prefillBatch, prefillBuilder, type EncodedMedia } from '../generation/prefill-batch.ts'
import { RunningAnswer } from '../generation/running-answer.ts'
import type { Grammar } from '../grammar/grammar.ts'
import { tokenConstraint, type TokenConstraint } from '../grammar/token-constraint.ts'
import { requireOption } from '../generation/require-option.ts'
import { packedBytes, type NamedWeights, type WeightsType } from '../generation/decode-layers.ts'
import type { Encoded } from '../prompt/encoded.ts'
import { checkRequest } from './check-request.ts'
import { mediaBatch, type MediaBatch } from './media-batch.ts'
import type { GenerateEvent, GenerateOptions, GenerateRequest, Policy, PolicyInfo, Sequence } from './policy.ts'
import type { PolicyModel } from './policy-model.ts'
import { batchFeeds, createProgramCache, type GraphBuilder, type Keyed, type ProgramCache } from './program-cache.ts'
import { scoreBatch, type ScoreBatch } from './score-batch.ts'

/** What a local policy is made of. */
export interface LocalPolicyOptions extends EngineOptions {
  readonly model: PolicyModel
  /**
   * A weight by its checkpoint name. Weights are read in place at every run: on shared memory, such as views of the
   * trainer's parameter store, an update takes effect at once. Do not update while answers are generated.
   */
  readonly weights: (name: string) => Float32Array
  readonly executor: Executor
  /**
   * Says which state the weights are in: `frozen` when they never change, or a number that changes with every update.
   * Then decoding may keep a copy of them in the layout of the runtime's kernels, which is faster; it is made anew after
   * an update. Without it weights are read in place at every run, whoever changes them.
   */
  readonly weightsVersion?: 'frozen' | (() => number)
  /**
   * How the decoder's matrices are kept for generating. `int4`: a seventh of the memory and faster at small batches, but
   * log-probabilities differ from those of `logprobs`; for serving frozen weights alone. `float16`: for devices with
   * half-precision kernels, such as CUDA, where it was not measured yet; on an x64 CPU it only takes more. An activation beyond
   * 65,504 becomes infinite, which MODEL_LOGITS_NOT_FINITE tells. Default `float32`.
   */
  readonly weightsType?: WeightsType
  /** Tokens that are scored in one run, padding included. Default 4096. */
  readonly maxScoreTokens?: number
}

const defaultMaxNewTokens = 512

/** A policy in this process, on an executor of `tensor`. It does not own the executor. */
export class LocalPolicy implements Policy {
  readonly info: PolicyInfo
  readonly model: PolicyModel
  readonly #weights: (name: string) => Float32Array
  readonly #programs: ProgramCache
  readonly #decode: DecodeProgram
  readonly #engine: GenerationEngine
  readonly #maxScoreTokens: number
  readonly #constraints = new WeakMap<Grammar, TokenConstraint>()
  #isClosed = false

  /** @throws MODEL_OPTION_INVALID for rounded weights that are not frozen */
  constructor(options: LocalPolicyOptions) {
    const { model, weights, executor, maxScoreTokens = 4096, ...limits } = options
    this.model = model
    this.info = policyInfo(model)
    this.#weights = weights
    this.#maxScoreTokens = maxScoreTokens
    const shapes = new Map(model.parameters.map(({ name, shape }) => [name, shape]))
    this.#programs = createProgramCache(executor, shapes, { purpose: 'policy', capacity: 64 })
    this.#decode = decodeProgram(options, shapes)
    const engineModel = {
      config: model.config.decoder,
      run: <Batch extends Keyed>(batch: Batch, build: GraphBuilder<Batch>) => this.#run(batch, build),
      decode: this.#decode.run.bind(this.#decode),
      embeddings: () => weights(`${embeddingName}.weight`),
      encodeMedia: (prompts: readonly Encoded[]) => this.#encodeMedia(prompts),
    }
    this.#engine = new GenerationEngine(engineModel, limits)
  }

  /**
   * Answers prompts; requests of several calls run in one batch. A sample's tokens depend on its prompt, options, seed and
   * number alone.
   *
   * @throws MODEL_OPTION_INVALID, MODEL_CONTEXT_TOO_LONG, MODEL_POLICY_CLOSED, and what encoding the messages throws
   */
  generate(requests: readonly GenerateRequest[], { signal }: GenerateOptions = {}): AsyncIterable<GenerateEvent> {
    this.#requireOpen('generation')
    let isCancelled = false
    const queue = createEventQueue<GenerateEvent>(() => {
      isCancelled = true
      signal?.removeEventListener('abort', cancel)
    })
    const cancel = (): void => queue.fail(signal?.reason)
    signal?.addEventListener('abort', cancel, { once: true })
    const emit = endingEmitter(queue, countSamples(requests))
    const jobs = requests.map((request, index) =>
      this.#job(request, index, { emit, fail: error => queue.fail(error), isCancelled: () => isCancelled }),
    )
    if (signal?.aborted) cancel()
    else this.#engine.submit(jobs)
    return queue
  }

  /**
   * Log-probabilities of the answers' tokens by a forward pass over whole sequences.
   *
   * @returns per sequence [completion.length]
   * @throws MODEL_POLICY_CLOSED
   */
  async logprobs(
    sequences: readonly Sequence[],
    { temperature = 1 }: { readonly temperature?: number } = {},
  ): Promise<Float32Array[]> {
    this.#requireOpen('scoring')
    const results: Float32Array[] = []
    for (const indices of scoreGroups(sequences, this.#maxScoreTokens)) {
      const group = indices.map(index => sequences[index]!)
      const batch = scoreBatch(this.model.config.decoder, this.model.encoders, group, { temperature })
      const { logprobs } = (await this.#run(batch, recordScores)) as { logprobs: Float32Array } // the graph's only output
      for (const [i, index] of indices.entries()) {
        const start = batch.starts[i]!
        results[index] = logprobs.slice(start, start + group[i]!.completion.length)
      }
    }
    return results
  }

  /**
   * Logits of every token of prompts, one prompt at a time.
   *
   * @returns per prompt [T * V]
   * @throws MODEL_POLICY_CLOSED
   */
  async logits(prompts: readonly Encoded[]): Promise<Float32Array[]> {
    this.#requireOpen('scoring')
    const { decoder } = this.model.config
    const results: Float32Array[] = []
    for (const prompt of prompts) {
      const batch = prefillBatch(decoder, [prompt], await this.#encodeMedia([prompt]), 'all')
      const { logits } = (await this.#run(batch, prefillBuilder(decoder))) as { logits: Float32Array } // its only output
      results.push(logits.slice(0, prompt.tokenIds.length * decoder.vocabSize))
    }
    return results
  }

  /**
   * Runs one of the model's encoders.
   *
   * @returns [rows * D] tokens in the space of the language model, with the batch's padding behind them
   * @throws MODEL_POLICY_CLOSED
   */
  async embed(batch: EncoderBatch): Promise<Float32Array> {
    this.#requireOpen('encoding')
    const { tokens } = (await this.#run({ ...batch, key: `embed ${batch.key}` }, recordMedia)) as {
      tokens: Float32Array
    } // its only output
    return tokens
  }

  /** Waits for what is running, then frees the programs. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#engine.idle()
    await Promise.all([this.#programs.close(), this.#decode.close()])
  }

  #job(request: GenerateRequest, index: number, channel: Pick<PromptJob, 'emit' | 'fail' | 'isCancelled'>): PromptJob {
    const prompt = isEncoded(request.prompt) ? request.prompt : this.model.encode(request.prompt)
    checkRequest(request)
    const room = this.info.maxPositions - prompt.tokenIds.length
    const limit = this.info.maxPositions
    if (room < 1) throw modelErrors.CONTEXT_TOO_LONG({ tokens: prompt.tokenIds.length + 1, limit })
    const { tokenizer, endTokenIds } = this.model
    const maxNewTokens = Math.min(room, request.maxNewTokens ?? defaultMaxNewTokens)
    const constraint = request.grammar && this.#constraint(request.grammar)
    const least = constraint?.leastTokens ?? 1
    requireOption(maxNewTokens >= least, 'maxNewTokens', maxNewTokens, `whole numbers from ${least} for this grammar`)
    const context = { tokenizer, endTokenIds, prompt, maxNewTokens, constraint }
    const answers = Array.from(
      { length: request.samples ?? 1 },
      (_, sample) => new RunningAnswer({ request: index, sample }, request, context),
    )
    return { prompt, answers, ...channel }
  }

  /** A grammar is compiled once for all requests that hold the same object. */
  #constraint(grammar: Grammar): TokenConstraint {
    const { tokenizer, endTokenIds, config } = this.model
    const known =
      this.#constraints.get(grammar) ?? tokenConstraint(grammar, tokenizer, endTokenIds, config.decoder.vocabSize)
    this.#constraints.set(grammar, known)
    return known
  }

  async #run<Batch extends Keyed>(batch: Batch, build: GraphBuilder<Batch>): Promise<Record<string, TypedArray>> {
    const cached = await this.#programs.program(batch, build)
    return cached.program.run(batchFeeds(cached, batch, this.#weights))
  }

  async #encodeMedia(prompts: readonly Encoded[]): Promise<EncodedMedia | undefined> {
    const media = mediaBatch(this.model.encoders, prompts)
    if (media.rows === 0) return undefined
    const { tokens } = (await this.#run({ ...media, key: `media ${media.key}` }, recordMedia)) as {
      tokens: Float32Array
    } // its only output
    return { tokens, rows: media.rows, firstRows: prompt => media.firstRows(prompt) }
  }

  #requireOpen(operation: string): void {
    if (this.#isClosed) throw modelErrors.POLICY_CLOSED({ operation })
  }
}

/** Changing weights are packed up to this size: beyond, packing takes longer than it saves (bench/RESULTS.md). */
const maxChangingBytes = 128 * 2 ** 20
/** Frozen weights are packed up to this size, since the memory is taken twice. */
const maxFrozenBytes = 4 * 2 ** 30

function decodeProgram(
  { model, executor, weights, weightsVersion, weightsType = 'float32' }: LocalPolicyOptions,
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

function isEncoded(prompt: GenerateRequest['prompt']): prompt is Encoded {
  return 'tokenIds' in prompt
}

function policyInfo({ name, config }: PolicyModel): PolicyInfo {
  return {
    name,
    maxPositions: config.decoder.maxPositions,
    modalities: [
      'text',
      ...(config.vision ? (['image', 'video'] as const) : []),
      ...(config.ecg ? (['ecg'] as const) : []),
    ],
  }
}

function countSamples(requests: readonly GenerateRequest[]): number {
  return requests.reduce((sum, { samples = 1 }) => sum + samples, 0)
}

/** Forwards events and ends the queue after the last answer. */
function endingEmitter(queue: EventQueue<GenerateEvent>, samples: number): (event: GenerateEvent) => void {
  let left = samples
  if (left === 0) queue.end()
  return event => {
    queue.push(event)
    if (event.type === 'sample-end' && --left === 0) queue.end()
  }
}

/** Groups sequences of similar lengths so that a group, padded to its longest, has at most `limit` tokens. */
function scoreGroups(sequences: readonly Sequence[], limit: number): number[][] {
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

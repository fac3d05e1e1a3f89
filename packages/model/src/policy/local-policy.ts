import type { EncoderBatch } from '@qoq-med/encoders'
import type { Executor, OrtExecutor } from '@qoq-med/tensor'
import { modelErrors } from '../errors.ts'
import type { PackedModel } from '../folder/packed-model.ts'
import { PackedRunner } from './packed-runner.ts'
import type { CacheType } from '../generation/cache-codec.ts'
import type { WeightsType } from '../generation/decode-layers.ts'
import { createEventQueue, type EventQueue } from '../generation/event-queue.ts'
import type { GenerateEvent, GenerateRequest } from '../generation/generate-request.ts'
import { GenerationEngine, type EngineOptions, type PromptJob } from '../generation/generation-engine.ts'
import { requireOption } from '../generation/require-option.ts'
import { RunningAnswer } from '../generation/running-answer.ts'
import type { Grammar } from '../grammar/grammar.ts'
import { tokenConstraint, type TokenConstraint } from '../grammar/token-constraint.ts'
import type { PolicyAdapters } from '../lora/fed-adapters.ts'
import type { Encoded } from '../prompt/encoded.ts'
import type { ImageSize } from '../prompt/image-size.ts'
import type { Message } from '../prompt/message.ts'
import { checkRequest } from './check-request.ts'
import type { GenerateOptions, LogprobsOptions, Policy, PolicyInfo, Sequence } from './policy.ts'
import type { PolicyLoad } from '../generation/policy-load.ts'
import { untilAborted } from './until-aborted.ts'
import type { PolicyModel } from '../composition/policy-model.ts'
import type { PolicyRunner } from './policy-runner.ts'
import type { ScoredSequence } from '../scoring/scored-sequence.ts'
import { WeightsRunner } from './weights-runner.ts'

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

/** What a policy over packed weights is made of. */
export interface PackedPolicyOptions extends EngineOptions {
  readonly packed: PackedModel
  readonly executor: OrtExecutor
  /** How keys and values of past tokens are kept: float16 and int8 take half and about a quarter, rounded. Default float32. */
  readonly cacheType?: CacheType | undefined
  /** Adapters beside the packed weights; products then keep activations in float32, as training does. */
  readonly adapters?: PolicyAdapters | undefined
  /**
   * Programs that share the decoder's layers and are loaded at the same time, each on a core of its own: a step then takes some tenths of
   * a millisecond more. Default 2 where the decoder has more than a gigabyte, else 1.
   */
  readonly sessions?: number | undefined
}

const defaultMaxNewTokens = 512

/** A policy in this process, on an executor of `tensor`. It does not own the executor. */
export class LocalPolicy implements Policy {
  readonly info: PolicyInfo
  readonly model: PolicyModel
  readonly #runner: PolicyRunner
  readonly #engine: GenerationEngine
  readonly #constraints = new WeakMap<Grammar, TokenConstraint>()
  #isClosed = false

  /** @throws MODEL_OPTION_INVALID for rounded weights that are not frozen */
  constructor(options: LocalPolicyOptions | PackedPolicyOptions) {
    const isPacked = 'packed' in options
    const { model } = isPacked ? options.packed : options
    this.model = model
    this.info = policyInfo(model)
    this.#runner = isPacked ? new PackedRunner(options) : new WeightsRunner(options)
    // Rounded weights do not repeat the bits of other batches anyway.
    this.#engine = new GenerationEngine(this.#runner, { ...(isPacked && { minBatch: 1 as const }), ...options })
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
   * @throws MODEL_POLICY_CLOSED, MODEL_CONTEXT_TOO_LONG, the reason of the signal, and what encoding the messages throws
   */
  async logprobs(
    sequences: readonly Sequence[],
    { temperature = 1, signal }: LogprobsOptions = {},
  ): Promise<Float32Array[]> {
    this.#requireOpen('scoring')
    const encoded = this.#encoded(sequences)
    return untilAborted(this.#runner.logprobs(encoded, { temperature, signal }), signal)
  }

  /**
   * Logits of every token of prompts, one prompt at a time.
   *
   * @returns per prompt [T * V]
   * @throws MODEL_POLICY_CLOSED
   */
  async logits(prompts: readonly Encoded[]): Promise<Float32Array[]> {
    this.#requireOpen('scoring')
    const results: Float32Array[] = []
    for (const prompt of prompts) results.push(await this.#runner.logits(prompt))
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
    return this.#runner.encode(batch)
  }

  /** Turns messages into a prompt in the model's tokens. @throws as `encodeMessages` */
  encode(messages: readonly Message[]): Encoded {
    return this.model.encode(messages)
  }

  async tokenIds(texts: readonly string[]): Promise<Int32Array[]> {
    return texts.map(text => Int32Array.from(this.model.tokenizer.encode(text)))
  }

  tokenBytes(tokenId: number): Uint8Array {
    return this.model.tokenizer.bytes(tokenId)
  }

  seenSize(stored: ImageSize): ImageSize {
    return this.model.seenSize(stored)
  }

  /** What the engine does at this moment. */
  async load(): Promise<PolicyLoad> {
    return this.#engine.load()
  }

  /** Waits for what is running, then frees the programs. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#engine.idle()
    await this.#runner.close()
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
    return { ...channel, prompt, answers, emit: countingEmitter(channel.emit, prompt.tokenIds.length, answers.length) }
  }

  /** Sequences with their prompts in tokens; messages that several share are encoded once. */
  #encoded(sequences: readonly Sequence[]): ScoredSequence[] {
    const known = new Map<Sequence['prompt'], Encoded>()
    return sequences.map(({ prompt, completion }) => {
      const encoded = known.get(prompt) ?? (isEncoded(prompt) ? prompt : this.model.encode(prompt))
      known.set(prompt, encoded)
      const [tokens, limit] = [encoded.tokenIds.length + completion.length, this.info.maxPositions]
      if (tokens > limit) throw modelErrors.CONTEXT_TOO_LONG({ tokens, limit })
      return { prompt: encoded, completion }
    })
  }

  /** A grammar is compiled once for all requests that hold the same object. */
  #constraint(grammar: Grammar): TokenConstraint {
    const { tokenizer, endTokenIds, config } = this.model
    const known =
      this.#constraints.get(grammar) ?? tokenConstraint(grammar, tokenizer, endTokenIds, config.decoder.vocabSize)
    this.#constraints.set(grammar, known)
    return known
  }

  #requireOpen(operation: string): void {
    if (this.#isClosed) throw modelErrors.POLICY_CLOSED({ operation })
  }
}

function isEncoded(prompt: Sequence['prompt']): prompt is Encoded {
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

/** Forwards events of one request; its last answer says how many tokens all of it had. */
function countingEmitter(
  emit: (event: GenerateEvent) => void,
  promptTokens: number,
  samples: number,
): (event: GenerateEvent) => void {
  let [left, completionTokens] = [samples, 0]
  return event => {
    if (event.type !== 'sample-end') return emit(event)
    completionTokens += event.completion.tokenIds.length
    emit(--left === 0 ? { ...event, usage: { promptTokens, completionTokens } } : event)
  }
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

import type { GenerateEvent } from './generate-request.ts'
import type { PolicyLoad } from './policy-load.ts'
import type { Encoded } from '../prompt/encoded.ts'
import { decodeFeeds } from './decode-batch.ts'
import type { EngineModel, Prefilled } from './engine-model.ts'
import { KvCache } from './kv-cache.ts'
import type { RunningAnswer, TokenScores } from './running-answer.ts'
import { batchBucket, lengthBucket } from './size-buckets.ts'

/** Answers to one prompt, waiting for room in the batch. */
export interface PromptJob {
  readonly prompt: Encoded
  /** Answers that have not begun; emptied from the front. */
  readonly answers: RunningAnswer[]
  readonly emit: (event: GenerateEvent) => void
  /** Told when the model fails or an answer of the job cannot go on: the job is cancelled then, and none of its further answers will come. */
  readonly fail: (error: unknown) => void
  readonly isCancelled: () => boolean
}

/** Limits of the engine. */
export interface EngineOptions {
  /** Answers that run together. Default 64. */
  readonly maxBatch?: number
  /**
   * Rows that a decode step has at least. With 2 an answer is the same bit by bit whatever else is generated; with 1 a
   * lone answer is up to a fifth faster, but a product with one row rounds otherwise than one with more. Default 2.
   */
  readonly minBatch?: 1 | 2
  /** Tokens of prompts that are prefilled together, padding included. Default 4096. */
  readonly maxPrefillTokens?: number
}

interface Row {
  readonly answer: RunningAnswer
  readonly job: PromptJob
}

/**
 * Generates for many callers at once (continuous batching): jobs join and answers leave between two tokens. A prompt is
 * prefilled once for all its answers; each step runs the newest tokens of all rows against the cache.
 */
export class GenerationEngine {
  readonly #model: EngineModel
  readonly #options: Required<EngineOptions>
  readonly #cache: KvCache
  readonly #rows: Row[] = []
  readonly #waiting: PromptJob[] = []
  readonly #prefilled = new Map<PromptJob, Prefilled>()
  #loop: Promise<void> | undefined

  constructor(model: EngineModel, { maxBatch = 64, minBatch = 2, maxPrefillTokens = 4096 }: EngineOptions = {}) {
    this.#model = model
    this.#options = { maxBatch, minBatch, maxPrefillTokens }
    this.#cache = new KvCache(model.config, model.cacheType)
  }

  submit(jobs: readonly PromptJob[]): void {
    this.#waiting.push(...jobs)
    this.#loop ??= this.#run()
  }

  /** Resolves when nothing runs or waits. */
  async idle(): Promise<void> {
    await this.#loop
  }

  /** What runs, what waits, and the room of the cache. */
  load(): PolicyLoad {
    const { rows, length } = this.#cache.capacity
    return {
      waitingAnswers: this.#waiting.reduce((sum, { answers }) => sum + answers.length, 0),
      batchSize: this.#rows.length,
      batchLimit: this.#options.maxBatch,
      cachedTokens: this.#rows.reduce((sum, _, row) => sum + this.#cache.lengthOf(row), 0),
      cacheTokens: rows * length,
    }
  }

  async #run(): Promise<void> {
    // Jobs that are submitted in one go begin together.
    await Promise.resolve()
    while (this.#waiting.length > 0 || this.#rows.length > 0) {
      try {
        this.#dropCancelled()
        await this.#admit()
        if (this.#rows.length > 0) await this.#step()
      } catch (error) {
        this.#failAll(error)
      }
    }
    this.#loop = undefined
  }

  #dropCancelled(): void {
    const kept = this.#waiting.filter(job => !job.isCancelled())
    for (const job of this.#waiting) if (job.isCancelled()) this.#prefilled.delete(job)
    this.#waiting.splice(0, this.#waiting.length, ...kept)
    for (let row = this.#rows.length - 1; row >= 0; row--) if (this.#rows[row]!.job.isCancelled()) this.#remove(row)
  }

  /** Prefills prompts for which there is room and lets their answers begin. */
  async #admit(): Promise<void> {
    while (this.#waiting.length > 0 && this.#rows.length < this.#options.maxBatch) {
      if (!this.#prefilled.has(this.#waiting[0]!)) {
        await this.#prefill(this.#nextJobs())
        this.#dropCancelled()
        continue
      }
      this.#begin(this.#waiting[0]!)
    }
  }

  /** The jobs at the front of the queue that fit one prefill and the free rows. */
  #nextJobs(): PromptJob[] {
    const jobs: PromptJob[] = []
    let [free, longest] = [this.#options.maxBatch - this.#rows.length, 0]
    for (const job of this.#waiting) {
      longest = Math.max(longest, lengthBucket(job.prompt.tokenIds.length))
      const tokens = batchBucket(jobs.length + 1) * longest
      if (jobs.length > 0 && (free <= 0 || tokens > this.#options.maxPrefillTokens)) break
      jobs.push(job)
      free -= job.answers.length
    }
    return jobs
  }

  async #prefill(jobs: readonly PromptJob[]): Promise<void> {
    const prompts = jobs.map(job => job.prompt)
    const prefilled = await this.#model.prefill(prompts, index => jobs[index]!.isCancelled()) // a job per prompt
    for (const [index, job] of jobs.entries()) {
      const done = prefilled[index]
      if (done) this.#prefilled.set(job, done)
    }
  }

  /** Begins as many answers of the first waiting job as there is room for. */
  #begin(job: PromptJob): void {
    const prefilled = this.#prefilled.get(job)!
    const answers = job.answers.splice(0, this.#options.maxBatch - this.#rows.length)
    const length = job.prompt.tokenIds.length
    const begun = answers.filter(answer => {
      advance({ answer, job }, { logits: prefilled.logits })
      return !answer.isFinished && !job.isCancelled()
    })
    this.#reserve(this.#rows.length + begun.length, length)
    for (const answer of begun) {
      this.#cache.add(prefilled.slices, prefilled.index, prefilled.padded, length)
      this.#rows.push({ answer, job })
    }
    // Last: a job for which there is no room is told while it waits.
    if (job.answers.length > 0) return
    this.#waiting.shift()
    this.#prefilled.delete(job)
  }

  async #step(): Promise<void> {
    const { config } = this.#model
    this.#reserve(this.#rows.length, 0)
    const newest = this.#rows.map(row => row.answer.newest)
    const batch = Math.max(this.#options.minBatch, newest.length)
    const feeds = await decodeFeeds(this.#model, this.#cache, newest, batch)
    const needed = new Set(this.#rows.flatMap(row => row.answer.needs))
    const { present, logits, probabilities, peak } = await this.#model.decode(feeds, batch, ['present', ...needed])
    this.#cache.append(present, { batch, tokens: 1 })
    for (const [row, each] of this.#rows.entries()) {
      const own = (all: Float32Array | undefined): Float32Array | undefined =>
        all?.subarray(row * config.vocabSize, (row + 1) * config.vocabSize)
      const given = { logits: own(logits), probabilities: own(probabilities), peak: peak?.[row] }
      advance(each, pick(given, each.answer.needs))
    }
    for (let row = this.#rows.length - 1; row >= 0; row--) if (this.#rows[row]!.answer.isFinished) this.#remove(row)
  }

  /** Room for `rows` answers with one more token each, and for a prompt of `length`. */
  #reserve(rows: number, length: number): void {
    if (rows === 0) return
    const batch = batchBucket(Math.max(rows, this.#options.minBatch))
    this.#cache.reserve(batch, lengthBucket(Math.max(this.#cache.longest, length) + 1))
  }

  #remove(row: number): void {
    this.#cache.remove(row)
    const last = this.#rows.pop()!
    if (row < this.#rows.length) this.#rows[row] = last
  }

  #failAll(error: unknown): void {
    const jobs = new Set([...this.#waiting.splice(0), ...this.#rows.splice(0).map(row => row.job)])
    this.#prefilled.clear()
    this.#cache.clear()
    for (const job of jobs) job.fail(error)
  }
}

/** What an answer cannot go on with, such as logits that are not numbers, ends its own job and no other. */
function advance({ answer, job }: Row, scores: TokenScores): void {
  try {
    for (const event of answer.accept(scores)) job.emit(event)
  } catch (error) {
    job.fail(error)
  }
}

/** An answer's scores must not depend on what its neighbours need. */
function pick(scores: TokenScores, needs: readonly (keyof TokenScores)[]): TokenScores {
  return Object.fromEntries(needs.map(name => [name, scores[name]]))
}

import { appendFile, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { FailureLedger, type FailedSample, type Sample, type SampleSelection } from '@qoq-med/data-climb'
import { z } from 'zod'
import type { TrainConfig } from '../config/run-config.ts'
import { trainerErrors } from '../errors.ts'

const Line = z.object({ id: z.string(), code: z.string(), message: z.string() }) satisfies z.ZodType<FailedSample>

const fileName = 'failures.jsonl'

/** The samples that a run left out since they cannot be used; none where there is no file. */
export async function readLeftOut(runFolder: string): Promise<FailedSample[]> {
  const text = await readFile(join(runFolder, fileName), 'utf8').catch(() => '')
  return text.split('\n').flatMap(line => {
    try {
      return [Line.parse(JSON.parse(line))]
    } catch {
      return [] // the end of the file, or a line that a kill cut off
    }
  })
}

/** Where a run notes what it leaves out. */
export interface LeftOutOptions {
  /** Samples of the run. */
  readonly total: number
  /** Datasets whose samples may be left out. */
  readonly skippable: ReadonlySet<string>
  /** The run folder; a dry run has none. */
  readonly folder?: string
  /** What an earlier process of the run noted. */
  readonly failed?: readonly FailedSample[]
}

/**
 * The samples of a run whose files do not decode, or that the model cannot take. Where their source says
 * `onError: skip`, each gives its place to the next sample of its stage, so that a batch keeps its size and a resumed run
 * sees the same; they are noted once, and too many of them stop the run.
 */
export class LeftOutSamples {
  readonly #ledger: FailureLedger
  readonly #noted: Set<string>
  readonly #skipping: ReadonlySet<string>
  readonly #folder: string | undefined

  constructor({ data }: Pick<TrainConfig, 'data'>, { total, skippable, folder, failed = [] }: LeftOutOptions) {
    this.#skipping = skippable
    this.#ledger = new FailureLedger({ total, maxShare: data.maxFailureShare, failed })
    this.#noted = new Set(failed.map(({ id }) => id))
    this.#folder = folder
  }

  /** Those so far. */
  get samples(): readonly FailedSample[] {
    return this.#ledger.failed
  }

  /**
   * Does some work with the sample of a place, or with the next one that can be used.
   *
   * @param first the sample of the place, where it has been read
   * @throws what the work throws, where the sample's source says `throw` or it is no fault of the sample
   * @throws DATA_TOO_MANY_FAILURES when more samples fail than the configuration allows, TRAINER_NO_SAMPLES when all do
   */
  async firstUsable<Value>(
    samples: SampleSelection,
    place: number,
    work: (sample: Sample) => Promise<Value>,
    first?: Sample,
  ): Promise<Value> {
    for (let offset = 0; offset < samples.length; offset++) {
      const isRead = offset === 0 && first !== undefined
      const [sample] = isRead ? [first] : await samples.read([(place + offset) % samples.length])
      const done = await this.#attempt(sample!, work) // one sample a place
      if (done) return done.value
    }
    throw trainerErrors.NO_SAMPLES({ stage: 'that runs', filter: ' that can be used' })
  }

  /** Does some work with every sample that can be used, in order. @throws as `firstUsable` */
  async allUsable<Value>(samples: readonly Sample[], work: (sample: Sample) => Promise<Value>): Promise<Value[]> {
    const done = await Promise.all(samples.map(sample => this.#attempt(sample, work)))
    return done.flatMap(one => (one ? [one.value] : []))
  }

  async #attempt<Value>(
    sample: Sample,
    work: (sample: Sample) => Promise<Value>,
  ): Promise<{ readonly value: Value } | undefined> {
    const run = async () => ({ value: await work(sample) })
    if (!this.#skipping.has(sample.dataset)) return run()
    try {
      return await this.#ledger.attempt(sample.id, run)
    } finally {
      await this.#note()
    }
  }

  async #note(): Promise<void> {
    const fresh = this.#ledger.failed.filter(({ id }) => !this.#noted.has(id))
    for (const { id } of fresh) this.#noted.add(id)
    if (this.#folder === undefined || fresh.length === 0) return
    await appendFile(join(this.#folder, fileName), fresh.map(line => `${JSON.stringify(line)}\n`).join(''))
  }
}

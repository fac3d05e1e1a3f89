import { isHintedError } from '@qoq-med/errors'
import { dataErrors } from '../errors.ts'

/** Options of `FailureLedger`. */
export interface FailureLedgerOptions {
  /** Samples that will be asked for. */
  readonly total: number
  /** Share of them, from 0 to 1, that may fail before the work stops; 0.05 by default, and one sample in any case. */
  readonly maxShare?: number
  /** Samples that an earlier attempt at the same work has left out. */
  readonly failed?: readonly FailedSample[]
}

/** A sample that was left out: its id, and code and sentence of the error, which names dataset, row and file. */
export interface FailedSample {
  readonly id: string
  readonly code: string
  readonly message: string
}

/**
 * Keeps which samples failed to decode, for `onError: 'skip'`: a failing sample is left out and counted once, however often
 * it is asked for, and too many of them stop the work.
 *
 * @example
 * const ledger = new FailureLedger({ total: samples.length })
 * const pictures = await ledger.attempt(sample.id, async () => (await sample.images?.()) ?? [])
 * if (pictures === undefined) continue
 */
export class FailureLedger {
  readonly #failed = new Map<string, FailedSample>()
  readonly #total: number
  readonly #maxShare: number

  /** @throws DATA_OPTION_INVALID when the share is not from 0 to 1 */
  constructor({ total, maxShare = 0.05, failed = [] }: FailureLedgerOptions) {
    if (!(maxShare >= 0 && maxShare <= 1))
      throw dataErrors.OPTION_INVALID({ name: 'maxShare', value: String(maxShare), range: 'a number from 0 to 1' })
    this.#total = total
    this.#maxShare = maxShare
    for (const sample of failed) this.#failed.set(sample.id, sample)
  }

  /** The samples that failed, in the order in which they did. */
  get failed(): readonly FailedSample[] {
    return [...this.#failed.values()]
  }

  /**
   * Runs the work that reads one sample. A sample that failed before is not read again.
   *
   * @returns what the work gives, or undefined where it failed with an error of ours
   * @throws DATA_TOO_MANY_FAILURES, and whatever is no error of ours
   */
  async attempt<Value>(id: string, work: () => Promise<Value>): Promise<Value | undefined> {
    if (this.#failed.has(id)) return undefined
    try {
      return await work()
    } catch (problem) {
      if (!isHintedError(problem)) throw problem
      this.#failed.set(id, { id, code: problem.code, message: problem.message })
      this.#stopAtTooMany(problem)
      return undefined
    }
  }

  #stopAtTooMany(cause: Error): void {
    const failed = this.#failed.size
    if (failed <= Math.max(1, this.#maxShare * this.#total)) return
    throw dataErrors.TOO_MANY_FAILURES({ failed, total: this.#total, maxShare: this.#maxShare }, { cause })
  }
}

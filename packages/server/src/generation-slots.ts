import { serverErrors } from './errors.ts'

/** Room for some answers of one request. */
export interface GenerationLease {
  /** Aborted when the client goes away or the server is stopped. */
  readonly signal: AbortSignal
  /** Ends what still runs under the lease and gives its room back; a second call does nothing. */
  close(): void
}

/** Keeps count of the answers being written. */
export interface GenerationSlots {
  readonly running: number
  readonly limit: number
  /** Takes room for some answers. @throws SERVER_BUSY when there is not enough */
  open(answers: number): GenerationLease
  /** Ends all answers with SERVER_CLOSING. */
  abortAll(): void
}

/** Makes the account of a server. @param limit answers that may be written at the same time */
export function createGenerationSlots(limit: number): GenerationSlots {
  const open = new Map<AbortController, number>()
  const running = (): number => [...open.values()].reduce((sum, answers) => sum + answers, 0)
  return {
    get running() {
      return running()
    },
    limit,
    open: answers => {
      // A request that is larger than the limit by itself may run alone; its size has a limit of its own.
      if (open.size > 0 && running() + answers > limit) throw serverErrors.BUSY({ running: running(), limit })
      const controller = new AbortController()
      open.set(controller, answers)
      return {
        signal: controller.signal,
        close: () => {
          if (open.delete(controller)) controller.abort(serverErrors.CLIENT_GONE({}))
        },
      }
    },
    abortAll: () => {
      for (const controller of open.keys()) controller.abort(serverErrors.CLOSING({}))
    },
  }
}

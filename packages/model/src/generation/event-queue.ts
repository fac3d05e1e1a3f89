/** A queue between one producer and one consumer that waits for what is not there yet. */
export interface EventQueue<Event> extends AsyncIterable<Event> {
  push(event: Event): void
  /** Ends the iteration after what was pushed. */
  end(): void
  /** Makes the iteration throw after what was pushed. */
  fail(error: unknown): void
}

/**
 * Makes a queue.
 *
 * @param onReturn called when the consumer stops before the end
 */
export function createEventQueue<Event>(onReturn: () => void): EventQueue<Event> {
  const events: Event[] = []
  let outcome: { readonly error?: unknown } | undefined
  let wake = Promise.withResolvers<void>()
  const signal = (): void => {
    wake.resolve()
    wake = Promise.withResolvers()
  }
  async function* consume(): AsyncGenerator<Event, void, undefined> {
    try {
      while (true) {
        yield* events.splice(0)
        if (events.length > 0) continue
        if (outcome === undefined) await wake.promise
        else if ('error' in outcome) throw outcome.error
        else return
      }
    } finally {
      if (outcome === undefined) onReturn()
    }
  }
  return {
    push: event => {
      events.push(event)
      signal()
    },
    end: () => {
      outcome ??= {}
      signal()
    },
    fail: error => {
      outcome ??= { error }
      signal()
    },
    [Symbol.asyncIterator]: consume,
  }
}

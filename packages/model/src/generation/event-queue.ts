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
 * @param onClose called once, when the queue ends or fails, or the consumer stops before
 */
export function createEventQueue<Event>(onClose: () => void): EventQueue<Event> {
  const events: Event[] = []
  let outcome: { readonly error?: unknown } | undefined
  const close = (how: { readonly error?: unknown }): void => {
    if (outcome !== undefined) return
    outcome = how
    onClose()
  }
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
      close({})
    }
  }
  return {
    push: event => {
      events.push(event)
      signal()
    },
    end: () => {
      close({})
      signal()
    },
    fail: error => {
      close({ error })
      signal()
    },
    [Symbol.asyncIterator]: consume,
  }
}

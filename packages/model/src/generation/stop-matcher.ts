/** What a stop matcher lets through of the text so far. */
interface StopProgress {
  /** New text that is certainly not part of a stop string. */
  readonly text: string
  /** The stop string that the text has reached; nothing after its beginning is let through. */
  readonly stop?: string
}

/** Holds back text that could be the beginning of a stop string. */
export interface StopMatcher {
  push(text: string): StopProgress
  /** The text held back at the end, when no stop string came. */
  flush(): string
}

/**
 * Looks for stop strings in a text that arrives in pieces; a stop string may lie across pieces. Of several the one that
 * begins first stops, of those that begin together the longest.
 *
 * @param stops not empty strings
 */
export function createStopMatcher(stops: readonly string[]): StopMatcher {
  let held = ''
  return {
    push(text) {
      held += text
      const found = firstStop(held, stops)
      const free = found?.start ?? held.length - heldLength(held, stops)
      const released = held.slice(0, free)
      held = found === undefined ? held.slice(free) : ''
      return found === undefined ? { text: released } : { text: released, stop: found.stop }
    },
    flush() {
      const rest = held
      held = ''
      return rest
    },
  }
}

function firstStop(text: string, stops: readonly string[]): { start: number; stop: string } | undefined {
  const found = stops.map(stop => ({ start: text.indexOf(stop), stop })).filter(({ start }) => start >= 0)
  return found.toSorted((a, b) => a.start - b.start || b.stop.length - a.stop.length)[0]
}

/** Length of the longest end of the text that begins a stop string. */
function heldLength(text: string, stops: readonly string[]): number {
  const lengths = stops.flatMap(stop => Array.from({ length: stop.length - 1 }, (_, i) => stop.slice(0, i + 1)))
  return lengths.reduce((most, start) => (start.length > most && text.endsWith(start) ? start.length : most), 0)
}

/** Tells whether one more request may pass, or after how many seconds. */
export type TakeTurn = (key: string, requestsPerMinute: number) => { readonly waitSeconds: number }

/**
 * Makes a token bucket per key: a minute's worth of requests at once, then as they come back.
 *
 * @param now milliseconds, of a clock that never goes back
 */
export function createRateLimit(now: () => number = () => performance.now()): TakeTurn {
  const buckets = new Map<string, { tokens: number; at: number }>()
  return (key, requestsPerMinute) => {
    const time = now()
    const { tokens, at } = buckets.get(key) ?? { tokens: requestsPerMinute, at: time }
    const perMs = requestsPerMinute / 60_000
    const filled = Math.min(Math.max(1, requestsPerMinute), tokens + (time - at) * perMs)
    const passes = filled >= 1
    buckets.set(key, { tokens: passes ? filled - 1 : filled, at: time })
    return { waitSeconds: passes ? 0 : Math.ceil((1 - filled) / perMs / 1000) }
  }
}

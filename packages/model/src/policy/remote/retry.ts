import { setTimeout as pause } from 'node:timers/promises'

/** How failed requests are tried again. */
export interface RetryOptions {
  /** Tries after the first one; 6 by default. */
  readonly retries: number
  /** The first wait is about this long, and every further one twice as long, at most `longestMs`. */
  readonly baseMs: number
  readonly longestMs: number
  /** Draws in [0, 1) for the jitter. */
  readonly random: () => number
}

/** How one try ended. */
export type Attempt<Value> =
  | { readonly type: 'done'; readonly value: Value }
  /** It may go better next time; after `pauseMs`, where the server said so. */
  | { readonly type: 'again'; readonly reason: string; readonly pauseMs?: number }

/** What came of all tries. */
export type Tried<Value> = { readonly value: Value } | { readonly reason: string; readonly tries: number }

/**
 * Tries until it is done or the tries are used up, with waits that double and are cut by chance to between half and all
 * of their length, so that clients do not come back together.
 */
export async function tryAgain<Value>(
  attempt: () => Promise<Attempt<Value>>,
  { retries, baseMs, longestMs, random }: RetryOptions,
  signal?: AbortSignal,
): Promise<Tried<Value>> {
  for (let tries = 1; ; tries++) {
    const outcome = await attempt()
    if (outcome.type === 'done') return { value: outcome.value }
    const wait = Math.min(longestMs, baseMs * 2 ** (tries - 1)) * (0.5 + random() / 2)
    if (tries > retries || (outcome.pauseMs ?? 0) > longestMs) return { reason: outcome.reason, tries }
    await pause(Math.max(wait, outcome.pauseMs ?? 0), undefined, signal ? { signal } : {})
  }
}

/** Statuses after which the same request may succeed. */
export function isTransient(status: number): boolean {
  return [408, 409, 425, 429].includes(status) || status >= 500
}

/** Reads a Retry-After header: seconds, or a date. */
export function retryAfterMs(value: string | null, now: number): number | undefined {
  if (value === null) return undefined
  const seconds = Number(value)
  if (Number.isFinite(seconds) && value.trim() !== '') return Math.max(0, seconds * 1000)
  const date = Date.parse(value)
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}

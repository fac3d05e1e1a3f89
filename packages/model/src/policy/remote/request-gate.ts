import { setTimeout as pause } from 'node:timers/promises'

/** How many requests a server is sent, and how fast. */
export interface GateLimits {
  /** Requests at a time. */
  readonly concurrency: number
  /** Requests a minute; as fast as they come where it is missing. */
  readonly requestsPerMinute?: number
}

/** Lets work through, a few at a time and not too fast, in the order in which it came. */
export class RequestGate {
  readonly #limits: GateLimits
  readonly #waiting: (() => void)[] = []
  #running = 0
  #nextStart = 0

  constructor(limits: GateLimits) {
    this.#limits = limits
  }

  /** Waits for a turn, works, and lets the next one in. */
  async through<Value>(work: () => Promise<Value>, signal?: AbortSignal): Promise<Value> {
    await this.#enter()
    try {
      await this.#pace(signal)
      return await work()
    } finally {
      this.#leave()
    }
  }

  async #enter(): Promise<void> {
    if (this.#running < this.#limits.concurrency) {
      this.#running++
      return
    }
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#waiting.push(resolve)
    await promise // the one that leaves hands its place on
  }

  #leave(): void {
    const next = this.#waiting.shift()
    if (next) next()
    else this.#running--
  }

  /** Every start is at least a minute's share after the last one. */
  async #pace(signal: AbortSignal | undefined): Promise<void> {
    const { requestsPerMinute } = this.#limits
    if (requestsPerMinute === undefined) return
    const now = performance.now()
    const start = Math.max(now, this.#nextStart)
    this.#nextStart = start + 60_000 / requestsPerMinute
    if (start > now) await pause(start - now, undefined, signal ? { signal } : {})
  }
}

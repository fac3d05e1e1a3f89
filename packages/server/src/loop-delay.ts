import { monitorEventLoopDelay } from 'node:perf_hooks'

/** Watches how long the thread that serves is held up by what runs in it. */
export interface LoopDelay {
  /** Seconds of the longest time since the last call in which nothing else could run. */
  takeMaxSeconds(): number
  close(): void
}

const resolutionMs = 10

/** Starts watching. */
export function watchLoopDelay(): LoopDelay {
  const histogram = monitorEventLoopDelay({ resolution: resolutionMs })
  histogram.enable()
  return {
    takeMaxSeconds: () => {
      // Nanoseconds between two looks, of which the time that lies between them anyway is no delay.
      const seconds = histogram.max / 1e9 - resolutionMs / 1e3
      histogram.reset()
      return Math.max(0, seconds)
    },
    close: () => void histogram.disable(),
  }
}

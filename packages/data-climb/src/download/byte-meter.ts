import { Transform } from 'node:stream'

/** What ends a connection that stays open for a few bytes at a time. */
export class Trickle extends Error {}

/** Slower than the slowest modem: whoever sends less keeps a download waiting for ever. */
const leastBytesPerSecond = 1024

/**
 * Counts bytes as they pass; ends the connection at one byte too many, and where too few come in `timeoutMs`. Silence is
 * the connection's own matter.
 *
 * @param tooLong makes the error of a body that does not end at `limit`
 */
export function byteMeter({
  limit,
  tooLong,
  onBytes,
  timeoutMs,
}: {
  readonly limit: number
  readonly tooLong: () => Error
  readonly onBytes: ((bytes: number) => void) | undefined
  readonly timeoutMs: number
}): Transform {
  let [total, inPeriod] = [0, 0]
  const meter = new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      total += chunk.length
      inPeriod += chunk.length
      onBytes?.(chunk.length)
      done(total > limit ? tooLong() : null, chunk)
    },
  })
  const timer = setInterval(() => {
    if (inPeriod > 0 && inPeriod < (leastBytesPerSecond * timeoutMs) / 1000) meter.destroy(new Trickle())
    inPeriod = 0
  }, timeoutMs)
  meter.once('close', () => clearInterval(timer))
  return meter
}

import type { Readable } from 'node:stream'
import { serverErrors } from './errors.ts'

/** How long a body may be, and says it is. */
export interface BodyLength {
  readonly limit: number
  /** The header `content-length`. */
  readonly claimed: string | undefined
}

/**
 * Collects a body piece by piece in memory of its own, which can go to another thread: to join the pieces of a large one at its end would
 * hold others up.
 *
 * @throws SERVER_BODY_TOO_LARGE, SERVER_CLIENT_GONE
 */
export async function bodyBytes(payload: Readable, { limit, claimed }: BodyLength): Promise<Uint8Array> {
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>()
  const length = Number(claimed ?? 0)
  const tooLarge = (): void => {
    payload.removeAllListeners('data')
    payload.resume() // the rest is not kept
    reject(serverErrors.BODY_TOO_LARGE({ limitBytes: limit }))
  }
  if (length > limit) tooLarge()
  else {
    let [bytes, filled] = [new Uint8Array(length), 0]
    payload.on('data', (piece: Buffer) => {
      if (filled + piece.length > limit) return tooLarge()
      if (filled + piece.length > bytes.length) bytes = grown(bytes, filled + piece.length)
      bytes.set(piece, filled)
      filled += piece.length
    })
    payload.on('end', () => resolve(filled === bytes.length ? bytes : bytes.slice(0, filled)))
    payload.on('error', () => reject(serverErrors.CLIENT_GONE({})))
    payload.on('close', () => reject(serverErrors.CLIENT_GONE({}))) // after its end it changes nothing
  }
  return promise
}

/** Of a body that does not say how long it is. */
function grown(bytes: Uint8Array, needed: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(Math.max(needed, 2 * bytes.length))
  larger.set(bytes)
  return larger
}

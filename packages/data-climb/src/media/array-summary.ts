import { createHash } from 'node:crypto'

/** Arrays whose bytes are hashed as they lie in memory (little-endian on every platform Node supports). */
export type NumericArray =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array

/** What is said of an array: hash of its little-endian bytes, its first eight values, and its range. What is not finite is left out of the range. */
export interface ArraySummary {
  readonly sha256: string
  readonly first: readonly number[]
  readonly min: number
  readonly max: number
  readonly mean: number
}

const firstCount = 8

/** A hash takes less than 2 GiB at a time. */
const hashedBytes = 2 ** 30

/** SHA-256 of the bytes of an array, in hexadecimal. */
export function sha256OfArray(values: NumericArray): string {
  const hash = createHash('sha256')
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
  for (let at = 0; at < bytes.length; at += hashedBytes) hash.update(bytes.subarray(at, at + hashedBytes))
  return hash.digest('hex')
}

/** Values with how they are calibrated. */
export interface CalibratedPart {
  readonly values: NumericArray
  readonly calibrate: (stored: number) => number
}

const blockValues = 65_536

/** SHA-256 of calibrated values as float64, one part after the other, without holding them all. */
export class CalibratedHash {
  readonly #hash = createHash('sha256')
  readonly #block = new Float64Array(blockValues)

  add({ values, calibrate }: CalibratedPart): void {
    for (let start = 0; start < values.length; start += blockValues) {
      const count = Math.min(blockValues, values.length - start)
      for (let i = 0; i < count; i++) this.#block[i] = calibrate(values[start + i]!) // bounded by the loop
      this.#hash.update(new Uint8Array(this.#block.buffer, 0, count * 8))
    }
  }

  /** In hexadecimal; nothing is added afterwards. */
  digest(): string {
    return this.#hash.digest('hex')
  }
}

/** The `CalibratedHash` of some parts. */
export function sha256OfCalibrated(parts: readonly CalibratedPart[]): string {
  const hash = new CalibratedHash()
  for (const part of parts) hash.add(part)
  return hash.digest()
}

/** Summarises an array; an array without a finite number has NaN for min, max and mean. */
export function summarise(values: NumericArray): ArraySummary {
  let min = Infinity
  let max = -Infinity
  let sum = 0
  let count = 0
  for (let i = 0; i < values.length; i++) {
    const value = values[i]! // bounded by the loop; iterators are several times slower here
    if (value - value !== 0) continue // neither NaN nor infinite
    if (value < min) min = value
    if (value > max) max = value
    sum += value
    count++
  }
  const range = count === 0 ? { min: Number.NaN, max: Number.NaN } : { min, max }
  return {
    sha256: sha256OfArray(values),
    first: Array.from(values.subarray(0, firstCount)),
    ...range,
    mean: sum / count,
  }
}

import { dataErrors } from '../errors.ts'

/**
 * Decodes base64 that may be broken into lines.
 *
 * @param format what errors call the file
 * @throws DATA_ECG_INVALID when it is none
 */
export function decodeBase64(text: string, format: string): Uint8Array {
  const compact = text.replaceAll(/\s+/g, '')
  // Some writers leave the padding out.
  if (!/^[\d+/A-Za-z]+={0,2}$/.test(compact) || compact.replace(/=+$/, '').length % 4 === 1)
    throw dataErrors.ECG_INVALID({ format, problem: 'its samples are no base64' })
  const bytes = Buffer.from(compact, 'base64')
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
}

/** Little-endian integers of 16 bits; a byte too many is left out. */
export function int16Samples(bytes: Uint8Array): Int16Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Int16Array.from({ length: Math.floor(bytes.length / 2) }, (_, i) => view.getInt16(i * 2, true))
}

/**
 * Reads numbers between blanks, without a text for each at the same time.
 *
 * @throws DATA_ECG_INVALID at something that is no number
 */
export function numberSamples(text: string, format: string): Float64Array {
  let values = new Float64Array(4096)
  let count = 0
  for (const [word] of text.matchAll(/\S+/g)) {
    if (count === values.length) values = grown(values)
    const value = /^[+-]?[\d.]/.test(word) ? Number(word) : Number.NaN
    if (!Number.isFinite(value)) throw dataErrors.ECG_INVALID({ format, problem: 'its samples are no numbers' })
    values[count++] = value
  }
  if (count === 0) throw dataErrors.ECG_INVALID({ format, problem: 'a lead has no samples' })
  return values.slice(0, count)
}

function grown(values: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(values.length * 2)
  larger.set(values)
  return larger
}

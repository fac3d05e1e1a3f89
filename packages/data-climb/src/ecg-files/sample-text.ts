import { dataErrors } from '../errors.ts'

/**
 * Decodes base64 that may be broken into lines.
 *
 * @param format what errors call the file
 * @throws DATA_ECG_INVALID when it is none
 */
export function decodeBase64(text: string, format: string): Uint8Array {
  const compact = text.replaceAll(/\s+/g, '')
  if (compact === '' || compact.length % 4 !== 0 || !/^[\d+/A-Za-z]+={0,2}$/.test(compact))
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
 * Reads numbers between blanks.
 *
 * @throws DATA_ECG_INVALID at something that is no number
 */
export function numberSamples(text: string, format: string): Float64Array {
  const values = Float64Array.from(
    text.split(/\s+/).filter(part => part !== ''),
    part => (/^[+-]?[\d.]/.test(part) ? Number(part) : Number.NaN),
  )
  if (values.length === 0 || values.some(value => !Number.isFinite(value)))
    throw dataErrors.ECG_INVALID({ format, problem: 'its samples are no numbers' })
  return values
}

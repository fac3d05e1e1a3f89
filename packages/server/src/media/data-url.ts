import { serverErrors } from '../errors.ts'

/**
 * Takes the bytes out of a data URL. Nothing else is opened: no address, no path.
 *
 * @param field where the URL stands in the body, for errors
 * @throws SERVER_REMOTE_URL_REFUSED, SERVER_DATA_URL_INVALID
 */
export function dataUrlBytes(url: string, field: string): Uint8Array {
  if (!/^data:/i.test(url)) throw serverErrors.REMOTE_URL_REFUSED({ field })
  const comma = url.indexOf(',')
  // Encoders break base64 into lines, and some leave blanks after the comma.
  const payload = url.slice(comma + 1).replaceAll(/\s/g, '')
  if (comma === -1 || !/;base64$/i.test(url.slice(0, comma).trim()) || payload === '' || /[^\w+/=-]/.test(payload))
    throw serverErrors.DATA_URL_INVALID({ field })
  return Buffer.from(payload, 'base64')
}

/** First bytes, in hex, of the formats that are decoded. Others the decoder might know, such as SVG, can name files. */
const signatures = {
  png: '89504e47',
  jpeg: 'ffd8ff',
  gif: '47494638',
  riff: '52494646', // WebP
  bmp: '424d',
} as const

/** Refuses a file that is none of PNG, JPEG, GIF, WebP and BMP. @throws SERVER_IMAGE_FORMAT */
export function requirePicture(bytes: Uint8Array, field: string): void {
  const start = Buffer.from(bytes.subarray(0, 4)).toString('hex')
  const isKnown = Object.values(signatures).some(signature => start.startsWith(signature))
  if (!isKnown) throw serverErrors.IMAGE_FORMAT({ field })
}

import path from 'node:path'
import sharp from 'sharp'
import { summarise } from './array-summary.ts'
import { isBmp } from './bmp.ts'
import { decodeImage, maxImagePixels } from './image.ts'
import type { FileReport } from './inspect.ts'

const signatures: readonly (readonly number[])[] = [
  [0x89, 0x50, 0x4e, 0x47],
  [0xff, 0xd8, 0xff],
  [0x47, 0x49, 0x46, 0x38],
  [0x49, 0x49, 0x2a, 0x00],
  [0x4d, 0x4d, 0x00, 0x2a],
  [0x52, 0x49, 0x46, 0x46],
]

/** Tells whether bytes start like a picture that `decodeImage` may read. */
export function isPicture(bytes: Uint8Array): boolean {
  return isBmp(bytes) || signatures.some(signature => signature.every((byte, i) => bytes[i] === byte))
}

/** Inspects a picture as 8-bit RGB, [height, width, 3], in its stored orientation. */
export async function inspectImage(bytes: Uint8Array, file: string): Promise<FileReport> {
  const { width, height, data } = await decodeImage(bytes, { orientation: 'stored' })
  const { format, warnings } = isBmp(bytes) ? { format: 'bmp', warnings: [] } : await describe(bytes, file)
  return { format, shape: [height, width, 3], dtype: 'uint8', ...summarise(data), warnings }
}

async function describe(bytes: Uint8Array, file: string): Promise<{ format: string; warnings: string[] }> {
  const { format, depth, channels, hasAlpha, orientation, pages } = await sharp(bytes, {
    limitInputPixels: maxImagePixels,
  }).metadata()
  const suffix = path.extname(file).slice(1).toLowerCase().replace('jpg', 'jpeg').replace(/^tif$/, 'tiff')
  const warnings = [
    suffix !== format && `the suffix says ${suffix}, the content is ${format}`,
    depth === 'ushort' && (channels === 1 ? 'levels above 255 were clipped' : '16-bit levels were reduced to 8 bits'),
    hasAlpha && 'the alpha channel was dropped',
    orientation !== undefined && orientation > 1 && `the EXIF orientation ${orientation} was not applied`,
    pages !== undefined && pages > 1 && `only the first of ${pages} frames was read`,
  ]
  return { format, warnings: warnings.filter(warning => typeof warning === 'string') }
}

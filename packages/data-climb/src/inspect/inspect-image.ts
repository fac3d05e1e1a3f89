import path from 'node:path'
import sharp from 'sharp'
import { summarise } from '../media/array-summary.ts'
import { isBmp } from '../media/bmp.ts'
import { decodeImage, maxImagePixels } from '../media/image.ts'
import type { FileReport } from './file-report.ts'

/** Inspects a picture as 8-bit RGB, [height, width, 3], in its stored orientation. */
export async function inspectImage(bytes: Uint8Array, file: string): Promise<FileReport> {
  const { width, height, data, warnings = [] } = await decodeImage(bytes, { orientation: 'stored' })
  const format = isBmp(bytes) ? 'bmp' : (await sharp(bytes, { limitInputPixels: maxImagePixels }).metadata()).format
  const suffix = path.extname(file).slice(1).toLowerCase().replace('jpg', 'jpeg').replace(/^tif$/, 'tiff')
  return {
    format,
    shape: [height, width, 3],
    dtype: 'uint8',
    ...summarise(data),
    warnings: [...(suffix === format ? [] : [`the suffix says ${suffix}, the content is ${format}`]), ...warnings],
  }
}

import path from 'node:path'
import sharp, { type Metadata } from 'sharp'
import { summarise } from '../media/array-summary.ts'
import { isBmp } from '../media/bmp.ts'
import { decodeImage, maxImagePixels } from '../media/image.ts'
import type { FileReport } from './file-report.ts'

/** Inspects a picture as 8-bit RGB, [height, width, 3], in its stored orientation. */
export async function inspectImage(bytes: Uint8Array, file: string): Promise<FileReport> {
  const { width, height, data, warnings = [] } = await decodeImage(bytes, { orientation: 'stored' })
  const metadata = isBmp(bytes) ? undefined : await sharp(bytes, { limitInputPixels: maxImagePixels }).metadata()
  const format = metadata?.format ?? 'bmp'
  const suffix = path.extname(file).slice(1).toLowerCase().replace('jpg', 'jpeg').replace(/^tif$/, 'tiff')
  return {
    format,
    shape: [height, width, 3],
    dtype: 'uint8',
    ...summarise(data),
    patientFields: metadata ? attachedTexts(metadata) : [],
    warnings: [...(suffix === format ? [] : [`the suffix says ${suffix}, the content is ${format}`]), ...warnings],
  }
}

/** What stands beside the pixels of a picture, where names, places and dates may be. */
function attachedTexts({ exif, xmp, iptc, comments }: Metadata): string[] {
  const blocks = { EXIF: exif, XMP: xmp, IPTC: iptc, comments }
  return Object.entries(blocks).flatMap(([name, block]) => (block && block.length > 0 ? [name] : []))
}

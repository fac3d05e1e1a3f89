import { readFile } from 'node:fs/promises'
import path from 'node:path'
import sharp from 'sharp'
import { dataErrors } from './errors.ts'
import { maxImagePixels } from './image.ts'
import type { RgbImage } from './sample.ts'
import { decodeVideoFrames } from './video-decoder.ts'
import { framesPerVolume, interiorPositions } from './volume/slices.ts'

/**
 * Takes frames from a video, evenly over its length: animated GIF and WebP files, and mp4, avi, mov, mpeg and others where
 * the package `node-av` is installed.
 *
 * @throws DATA_VIDEO_UNSUPPORTED, DATA_VIDEO_INVALID, DATA_IMAGE_UNREADABLE, DATA_IMAGE_TOO_LARGE
 */
export async function readVideoFrames(file: string, count: number = framesPerVolume): Promise<RgbImage[]> {
  if (!/\.(gif|webp)$/i.test(file)) return decodeVideoFrames(file, { name: path.basename(file), count })
  const bytes = await readFile(file)
  try {
    const {
      pages = 1,
      width,
      pageHeight,
      height,
    } = await sharp(bytes, { animated: true, limitInputPixels: maxImagePixels }).metadata()
    const rows = pageHeight ?? height
    if (width * rows * pages > maxImagePixels)
      throw dataErrors.IMAGE_TOO_LARGE({ width, height: rows * pages, limit: maxImagePixels })
    const { data } = await sharp(bytes, { animated: true, limitInputPixels: maxImagePixels })
      .removeAlpha()
      .toColourspace('srgb')
      .raw()
      .toBuffer({ resolveWithObject: true })
    const frameBytes = width * rows * 3
    return interiorPositions(pages, count).map(page => ({
      width,
      height: rows,
      data: new Uint8Array(data.subarray(page * frameBytes, (page + 1) * frameBytes)),
    }))
  } catch (cause) {
    if (cause instanceof Error && 'hint' in cause) throw cause
    throw dataErrors.IMAGE_UNREADABLE({ problem: 'the animation does not decode' }, { cause })
  }
}

import path from 'node:path'
import { animationFrames } from './animation.ts'
import { readInputFile } from '../files/input-file.ts'
import type { RgbImage } from '../sample/sample.ts'
import { decodeVideoFrames } from './video-decoder.ts'
import { framesPerVolume } from '../volume/slices.ts'

/**
 * Takes frames from a video, evenly over its length: animated GIF and WebP files, and mp4, avi, mov, mpeg and others where
 * the package `node-av` is installed.
 *
 * @throws DATA_INPUT_MISSING, DATA_VIDEO_UNSUPPORTED, DATA_VIDEO_INVALID, DATA_IMAGE_UNREADABLE, DATA_IMAGE_TOO_LARGE
 */
export async function readVideoFrames(file: string, count: number = framesPerVolume): Promise<RgbImage[]> {
  if (!/\.(gif|webp)$/i.test(file)) return decodeVideoFrames(file, { name: path.basename(file), count })
  return [...(await animationFrames(await readInputFile(file), { count })).pictures]
}

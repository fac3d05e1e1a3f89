import { isHintedError } from '@qoq-med/errors'
import sharp, { type OutputInfo, type Sharp } from 'sharp'
import { dataErrors } from '../errors.ts'
import { requireFewFrames } from './gif-frames.ts'
import { decodeSeconds, maxImagePixels } from './image.ts'
import type { RgbImage } from '../sample/sample.ts'
import { interiorPositions } from '../volume/slices.ts'

/** Pixels of all frames together that are decoded at once; the frames of longer animations are decoded one by one. */
const maxPixelsAtOnce = 2 ** 25

/** Frames of an animation, or its one picture. */
export interface AnimationFrames {
  readonly pictures: readonly RgbImage[]
  readonly positions: readonly number[]
  readonly length: number
}

/** Tells whether bytes are in a format of animations: GIF, or WebP that says so. */
export function isAnimation(bytes: Uint8Array): boolean {
  const text = (at: number, length: number) => String.fromCharCode(...bytes.subarray(at, at + length))
  const isWebp = text(0, 4) === 'RIFF' && text(8, 4) === 'WEBP'
  return text(0, 4) === 'GIF8' || (isWebp && text(12, 4) === 'VP8X' && ((bytes[20] ?? 0) & 2) !== 0)
}

/**
 * Takes frames from an animated GIF or WebP, evenly over its length; transparent parts lie on white.
 *
 * @param count frames to take; fewer where there are fewer
 * @param maxPixels pixels that a frame may claim
 * @throws DATA_IMAGE_UNREADABLE, DATA_IMAGE_TOO_LARGE
 */
export async function animationFrames(
  bytes: Uint8Array,
  { count, maxPixels = maxImagePixels }: { readonly count: number; readonly maxPixels?: number },
): Promise<AnimationFrames> {
  requireFewFrames(bytes)
  try {
    const { pages = 1, width, height } = await sharp(bytes, { limitInputPixels: maxImagePixels }).metadata()
    const limit = Math.min(maxPixels, maxImagePixels)
    if (width * height > limit) throw dataErrors.IMAGE_TOO_LARGE({ width, height, limit })
    const positions = interiorPositions(pages, Math.min(pages, count))
    const isSmall = width * height * pages <= maxPixelsAtOnce
    const pictures = isSmall ? await fromAll(bytes, { positions, width, height }) : await oneByOne(bytes, positions)
    return { pictures, positions, length: pages }
  } catch (cause) {
    if (isHintedError(cause)) throw cause
    throw dataErrors.IMAGE_UNREADABLE({ problem: 'the animation does not decode' }, { cause })
  }
}

/** Decodes all frames in one go, and takes those that are wanted. */
async function fromAll(
  bytes: Uint8Array,
  {
    positions,
    width,
    height,
  }: { readonly positions: readonly number[]; readonly width: number; readonly height: number },
): Promise<RgbImage[]> {
  const { data } = await levels(sharp(bytes, { pages: -1, limitInputPixels: maxImagePixels }))
  const frameBytes = width * height * 3
  return positions.map(page => ({
    width,
    height,
    data: new Uint8Array(data.subarray(page * frameBytes, (page + 1) * frameBytes)),
  }))
}

async function oneByOne(bytes: Uint8Array, positions: readonly number[]): Promise<RgbImage[]> {
  const pictures: RgbImage[] = []
  for (const page of positions) {
    const { data, info } = await levels(sharp(bytes, { page, pages: 1, limitInputPixels: maxImagePixels }))
    pictures.push({ width: info.width, height: info.height, data: new Uint8Array(data) })
  }
  return pictures
}

function levels(picture: Sharp): Promise<{ data: Buffer; info: OutputInfo }> {
  return picture
    .timeout({ seconds: decodeSeconds })
    .flatten({ background: 'white' })
    .toColourspace('srgb')
    .raw()
    .toBuffer({ resolveWithObject: true })
}

import { isHintedError } from '@qoq-med/errors'
import sharp, { type Metadata, type Sharp } from 'sharp'
import { requireFewFrames } from './gif-frames.ts'
import { decodeBmp, isBmp } from './bmp.ts'
import { dataErrors } from '../errors.ts'
import { clippedGrey, onWhite, repeated, rgbOfCmyk, scaledGrey, usedBits } from './image-levels.ts'
import type { RgbImage } from '../sample/sample.ts'

/** Pixels a picture may claim; beyond it a small file could ask for gigabytes (Pillow warns at half of this). */
export const maxImagePixels = 178_956_970

/** Bytes that a picture may take while it is decoded: `maxImagePixels` of 8-bit RGB. */
const maxDecodedBytes = 2 ** 29
/** Pixels that a side may have: JPEG allows as many, and row after row of one pixel takes libraries minutes. */
const maxSide = 65_535
/** Seconds after which libvips gives a picture up. */
export const decodeSeconds = 30
/** No JPEG stream holds more pixels than this in a byte: a block of 64 takes at least one bit of its first scan. */
const maxJpegPixelsPerByte = 1100

/** How a picture is decoded. */
export interface DecodeImageOptions {
  /** `display` turns the picture as its EXIF data says (default), `stored` leaves it as stored. */
  readonly orientation?: 'display' | 'stored'
  /** Pixels that the file may claim, checked before they are decoded; at most `maxImagePixels` (default). */
  readonly maxPixels?: number
  /**
   * `pillow` (default) converts as Pillow's `convert("RGB")`: alpha is dropped, 16-bit grey clipped at 255. `display` shows
   * what is there: transparent parts lie on white, as in the processor of transformers 5, and 16-bit grey keeps its highest
   * used 8 bits.
   */
  readonly levels?: 'pillow' | 'display'
}

/**
 * Decodes a picture into 8-bit RGB: grey is repeated, a palette looked up, CMYK converted as Pillow does, colour profiles
 * ignored. What was lost or changed is said in `warnings`.
 *
 * @param bytes a PNG, JPEG, BMP, GIF (first frame), TIFF or WebP file
 * @throws DATA_IMAGE_UNREADABLE, DATA_IMAGE_TOO_LARGE
 */
export async function decodeImage(
  bytes: Uint8Array,
  { orientation = 'display', maxPixels = maxImagePixels, levels = 'pillow' }: DecodeImageOptions = {},
): Promise<RgbImage> {
  const limit = Math.min(maxPixels, maxImagePixels)
  if (isBmp(bytes)) return decodeBmp(bytes, limit)
  requireFewFrames(bytes)
  try {
    const metadata = await openPicture(bytes).metadata()
    requireSize(metadata, limit, bytes.length)
    const { image, warnings } = await decoded(bytes, { metadata, orientation, levels })
    const all = [...pictureWarnings(metadata, orientation), ...warnings]
    return all.length > 0 ? { ...image, warnings: all } : image
  } catch (cause) {
    if (isHintedError(cause)) throw cause
    throw dataErrors.IMAGE_UNREADABLE({ problem: reason(cause) }, { cause })
  }
}

function openPicture(bytes: Uint8Array, failOn: 'truncated' | 'warning' = 'truncated'): Sharp {
  return sharp(bytes, { failOn, ignoreIcc: true, limitInputPixels: maxImagePixels }).timeout({ seconds: decodeSeconds })
}

interface DecodeRequest {
  readonly metadata: Metadata
  readonly orientation: 'display' | 'stored'
  readonly levels: 'pillow' | 'display'
}

/** A JPEG whose data are damaged decodes with grey or shifted blocks; it is shown as other readers show it, and said. */
async function decoded(bytes: Uint8Array, { metadata, orientation, levels }: DecodeRequest): Promise<Converted> {
  const open = (failOn: 'truncated' | 'warning') =>
    orientation === 'display' ? openPicture(bytes, failOn).autoOrient() : openPicture(bytes, failOn)
  if (metadata.format !== 'jpeg') return converted(open('truncated'), metadata, levels)
  try {
    return await converted(open('warning'), metadata, levels)
  } catch {
    const { image, warnings } = await converted(open('truncated'), metadata, levels)
    return { image, warnings: [...warnings, 'the JPEG data are damaged; a part of the picture may be wrong'] }
  }
}

function requireSize({ width, height, channels, depth, format }: Metadata, limit: number, fileBytes: number): void {
  const bytesPerPixel = depth === 'uchar' ? 3 : channels * (depth === 'ushort' ? 2 : 4) + 3
  const most = Math.min(limit, Math.floor(maxDecodedBytes / bytesPerPixel))
  if (width * height > most) throw dataErrors.IMAGE_TOO_LARGE({ width, height, limit: most })
  if (Math.max(width, height) > maxSide)
    throw dataErrors.IMAGE_UNREADABLE({ problem: `a side of it has more than ${maxSide} pixels` })
  if (format === 'jpeg' && width * height > fileBytes * maxJpegPixelsPerByte)
    throw dataErrors.IMAGE_UNREADABLE({ problem: `${fileBytes} bytes cannot hold ${width} x ${height} pixels` })
}

interface Converted {
  readonly image: RgbImage
  readonly warnings: readonly string[]
}

async function converted(
  picture: Sharp,
  { space, depth, channels, hasAlpha }: Metadata,
  levels: 'pillow' | 'display',
): Promise<Converted> {
  if (space === 'cmyk') return cmykPicture(picture)
  const isGrey = channels - (hasAlpha ? 1 : 0) === 1
  if (isGrey && hasAlpha && depth === 'ushort' && levels === 'display') return deepGreyOnWhite(picture)
  if (isGrey && depth !== 'uchar' && !(hasAlpha && levels === 'pillow')) return deepGrey(picture, depth, levels)
  const isShown = hasAlpha && levels === 'display'
  const { data, info } = await (isShown ? picture.ensureAlpha() : picture.removeAlpha())
    .toColourspace('srgb')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true })
  const { width, height } = info
  const warnings = [
    ...(depth === 'uchar' ? [] : ['16-bit levels were reduced to 8 bits']),
    ...(hasAlpha ? [isShown ? 'transparent parts were laid on white' : 'the alpha channel was dropped'] : []),
  ]
  return { image: { width, height, data: isShown ? onWhite(data) : repeated(data, info.channels) }, warnings }
}

async function cmykPicture(picture: Sharp): Promise<Converted> {
  const { data, info } = await picture
    .pipelineColourspace('cmyk')
    .toColourspace('cmyk')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true })
  const image = { width: info.width, height: info.height, data: rgbOfCmyk(data, info.channels) }
  return { image, warnings: ['colours for print (CMYK) were converted without their profile'] }
}

/** Grey of 16 bits with transparent parts. */
async function deepGreyOnWhite(picture: Sharp): Promise<Converted> {
  const { data, info } = await picture
    .pipelineColourspace('grey16')
    .toColourspace('grey16')
    .raw({ depth: 'ushort' })
    .toBuffer({ resolveWithObject: true })
  const { width, height, channels } = info
  const stored = new Uint16Array(data.buffer, data.byteOffset, data.byteLength / 2)
  const values = new Uint16Array(width * height)
  for (let i = 0; i < values.length; i++) values[i] = stored[i * channels]! // bounded by the loop
  const bits = usedBits(values)
  const rgba = new Uint8Array(values.length * 4)
  for (let i = 0; i < values.length; i++) {
    rgba.fill(values[i]! >> (bits - 8), i * 4, i * 4 + 3) // bounded by the loop
    rgba[i * 4 + 3] = stored[i * channels + channels - 1]! >> 8
  }
  const warnings = [`levels of ${bits} bits were reduced to 8`, 'transparent parts were laid on white']
  return { image: { width, height, data: onWhite(rgba) }, warnings }
}

/** Grey of more than 8 bits. */
async function deepGrey(picture: Sharp, depth: string | undefined, levels: 'pillow' | 'display'): Promise<Converted> {
  const isWord = depth === 'ushort'
  const { data, info } = await picture
    .removeAlpha()
    .pipelineColourspace(isWord ? 'grey16' : 'b-w')
    .toColourspace(isWord ? 'grey16' : 'b-w')
    .raw({ depth: isWord ? 'ushort' : 'float' })
    .toBuffer({ resolveWithObject: true })
  const { width, height } = info
  const values = isWord
    ? new Uint16Array(data.buffer, data.byteOffset, data.byteLength / 2)
    : new Float32Array(data.buffer, data.byteOffset, data.byteLength / 4)
  if (levels === 'pillow')
    return { image: { width, height, data: clippedGrey(values) }, warnings: ['levels above 255 were clipped'] }
  const bits = isWord ? usedBits(values) : undefined
  const shown =
    bits === undefined
      ? 'levels were spread from the least to the greatest'
      : `levels of ${bits} bits were reduced to 8`
  return { image: { width, height, data: scaledGrey(values, bits) }, warnings: bits === 8 ? [] : [shown] }
}

function pictureWarnings({ orientation, pages }: Metadata, shown: 'display' | 'stored'): string[] {
  const isTurned = orientation !== undefined && orientation > 1 && shown === 'stored'
  return [
    ...(isTurned ? [`the EXIF orientation ${orientation} was not applied`] : []),
    ...(pages !== undefined && pages > 1 ? [`only the first of ${pages} frames was read`] : []),
  ]
}

function reason(cause: unknown): string {
  const message = cause instanceof Error ? cause.message : String(cause)
  return message.split('\n')[0]?.slice(0, 200) ?? 'no reason given'
}

import sharp, { type Sharp } from 'sharp'
import { decodeBmp, isBmp } from './bmp.ts'
import { dataErrors } from './errors.ts'
import type { RgbImage } from './sample.ts'

/** Pixels a picture may claim; beyond it a small file could ask for gigabytes (Pillow warns at half of this). */
export const maxImagePixels = 178_956_970

/**
 * Decodes a picture into 8-bit RGB as Pillow's `convert("RGB")` does: grey is repeated, a palette looked up, alpha
 * dropped, colour profiles ignored; 16-bit grey is clipped at 255, not scaled.
 *
 * @param bytes a PNG, JPEG, BMP, GIF (first frame), TIFF or WebP file
 * @param orientation `display` turns the picture as its EXIF data says (default), `stored` leaves it as stored
 * @param maxPixels pixels that the file may claim, checked before they are decoded; at most `maxImagePixels` (default)
 * @throws DATA_IMAGE_UNREADABLE, DATA_IMAGE_TOO_LARGE
 */
export async function decodeImage(
  bytes: Uint8Array,
  {
    orientation = 'display',
    maxPixels = maxImagePixels,
  }: { readonly orientation?: 'display' | 'stored'; readonly maxPixels?: number } = {},
): Promise<RgbImage> {
  const limit = Math.min(maxPixels, maxImagePixels)
  if (isBmp(bytes)) return decodeBmp(bytes, limit)
  try {
    const open = () => sharp(bytes, { failOn: 'truncated', ignoreIcc: true, limitInputPixels: maxImagePixels })
    const { depth, channels, width, height, space } = await open().metadata()
    if (width * height > limit) throw dataErrors.IMAGE_TOO_LARGE({ width, height, limit })
    const picture = orientation === 'display' ? open().autoOrient() : open()
    if (depth === 'ushort' && channels === 1) return clippedGrey(picture)
    const opaque = space === 'cmyk' ? picture : picture.removeAlpha()
    const { data, info } = await opaque
      .toColourspace('srgb')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true })
    return { width: info.width, height: info.height, data: rgb(data, info.channels) }
  } catch (cause) {
    if (cause instanceof Error && 'hint' in cause) throw cause
    throw dataErrors.IMAGE_UNREADABLE({ problem: reason(cause) }, { cause })
  }
}

async function clippedGrey(picture: Sharp): Promise<RgbImage> {
  const { data, info } = await picture
    .toColourspace('grey16')
    .raw({ depth: 'ushort' })
    .toBuffer({ resolveWithObject: true })
  const levels = new Uint16Array(data.buffer, data.byteOffset, data.byteLength / 2)
  return {
    width: info.width,
    height: info.height,
    data: rgb(
      Uint8Array.from(levels, level => Math.min(level, 255)),
      1,
    ),
  }
}

function rgb(data: Uint8Array, channels: number): Uint8Array {
  if (channels === 3) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  const pixels = data.length / channels
  const out = new Uint8Array(pixels * 3)
  for (let i = 0; i < pixels; i++) out.fill(data[i * channels]!, i * 3, i * 3 + 3) // bounded by the loop
  return out
}

function reason(cause: unknown): string {
  const message = cause instanceof Error ? cause.message : String(cause)
  return message.split('\n')[0]?.slice(0, 200) ?? 'no reason given'
}

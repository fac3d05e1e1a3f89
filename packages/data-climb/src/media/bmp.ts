import { dataErrors } from '../errors.ts'
import type { RgbImage } from '../sample/sample.ts'

const fileHeaderBytes = 14

/** Tells whether bytes start like a Windows bitmap. */
export function isBmp(bytes: Uint8Array): boolean {
  return bytes.length > fileHeaderBytes + 4 && bytes[0] === 0x42 && bytes[1] === 0x4d
}

/**
 * Decodes an uncompressed Windows bitmap of 1, 4, 8, 24 or 32 bits per pixel.
 *
 * @throws DATA_IMAGE_UNREADABLE, DATA_IMAGE_TOO_LARGE
 */
export function decodeBmp(bytes: Uint8Array, maxPixels: number): RgbImage {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < 54) throw fail('the bitmap is shorter than its header')
  const dataStart = view.getUint32(10, true)
  const infoBytes = view.getUint32(14, true)
  const width = view.getInt32(18, true)
  const storedHeight = view.getInt32(22, true)
  const height = Math.abs(storedHeight)
  const bits = view.getUint16(28, true)
  const compression = view.getUint32(30, true)
  if (infoBytes < 40 || width <= 0 || height === 0) throw fail('the bitmap header is of an unknown kind')
  if (compression !== 0 && !(compression === 3 && bits === 32)) throw fail('compressed bitmaps are not read')
  if (![1, 4, 8, 24, 32].includes(bits)) throw fail(`bitmaps of ${bits} bits per pixel are not read`)
  if (width * height > maxPixels) throw dataErrors.IMAGE_TOO_LARGE({ width, height, limit: maxPixels })
  const rowBytes = Math.ceil((width * bits) / 32) * 4
  if (dataStart + rowBytes * height > bytes.length) throw fail('the bitmap is truncated')
  const palette = fileHeaderBytes + infoBytes
  const colours = Math.min(view.getUint32(46, true) || 2 ** bits, 2 ** bits)
  if (bits <= 8 && palette + 4 * colours > bytes.length) throw fail('the palette of the bitmap is truncated')
  const data = new Uint8Array(width * height * 3)
  for (let y = 0, to = 0; y < height; y++) {
    const row = dataStart + rowBytes * (storedHeight < 0 ? y : height - 1 - y)
    for (let x = 0; x < width; x++, to += 3) {
      const index = bits >= 24 ? 0 : paletteIndex(bytes, row, { x, bits })
      if (index >= colours) continue // black, as in Pillow
      const at = bits >= 24 ? row + (x * bits) / 8 : palette + 4 * index
      data[to] = bytes[at + 2]! // inside the file by the checks above, as are the next two
      data[to + 1] = bytes[at + 1]!
      data[to + 2] = bytes[at]!
    }
  }
  return { width, height, data }
}

function fail(problem: string): Error {
  return dataErrors.IMAGE_UNREADABLE({ problem })
}

function paletteIndex(bytes: Uint8Array, row: number, { x, bits }: { x: number; bits: number }): number {
  const byte = bytes[row + Math.floor((x * bits) / 8)]! // inside the file, as the caller has checked
  return (byte >> (8 - bits - ((x * bits) % 8))) & (2 ** bits - 1)
}

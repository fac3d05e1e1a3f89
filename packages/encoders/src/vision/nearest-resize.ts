import type { RgbImage } from './rgb-image.ts'
import { checkImage } from './rgb-image.ts'

/** Input position of each output position; the sum is accumulated as Pillow does, so that ties fall alike. */
function sources(inputLength: number, outputLength: number): Int32Array {
  const step = inputLength / outputLength
  const positions = new Int32Array(outputLength)
  for (let out = 0, at = step * 0.5; out < outputLength; out++, at += step)
    positions[out] = Math.min(inputLength - 1, Math.floor(at))
  return positions
}

/**
 * Resizes by picking the nearest pixel, as Pillow's NEAREST.
 *
 * @param size in pixels
 * @throws ENCODERS_IMAGE_SIZE when the data do not match the image's size, ENCODERS_IMAGE_DATA when they are no bytes
 */
export function resizeNearest(image: RgbImage, size: { readonly width: number; readonly height: number }): RgbImage {
  checkImage(image)
  const { width, height } = size
  const columns = sources(image.width, width)
  const rows = sources(image.height, height)
  const data = new Uint8Array(width * height * 3)
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0; x < width; x++, to += 3) {
      const from = (rows[y]! * image.width + columns[x]!) * 3
      data[to] = image.data[from]!
      data[to + 1] = image.data[from + 1]!
      data[to + 2] = image.data[from + 2]!
    }
  }
  return { width, height, data }
}

import type { RgbImage } from './rgb-image.ts'
import { checkImage } from './rgb-image.ts'

/** Fixed-point bits of a weight: 32 less 8 for the pixel and 2 for overshoot, as in Pillow's resampling. */
const precisionBits = 22
/** Pillow's bicubic is Keys' kernel with a = -1/2 and reaches two pixels. */
const cubicA = -0.5
const cubicSupport = 2

/** For each output position: the first input position, how many follow, and their weights (rows of `size`). */
interface Taps {
  readonly size: number
  readonly first: Int32Array
  readonly count: Int32Array
  readonly weights: Int32Array
}

function cubic(x: number): number {
  const t = Math.abs(x)
  if (t < 1) return ((cubicA + 2) * t - (cubicA + 3)) * t * t + 1
  if (t < 2) return (((t - 5) * t + 8) * t - 4) * cubicA
  return 0
}

/** Kernel weights along one axis, widened when shrinking (antialiasing), normalised, then rounded to fixed point. */
function tapsOf(inputLength: number, outputLength: number): Taps {
  const scale = inputLength / outputLength
  const filterScale = Math.max(scale, 1)
  const support = cubicSupport * filterScale
  const size = Math.ceil(support) * 2 + 1
  const first = new Int32Array(outputLength)
  const count = new Int32Array(outputLength)
  const weights = new Int32Array(outputLength * size)
  const row = new Float64Array(size)
  for (let out = 0; out < outputLength; out++) {
    const center = (out + 0.5) * scale
    const start = Math.max(0, Math.trunc(center - support + 0.5))
    const length = Math.min(inputLength, Math.trunc(center + support + 0.5)) - start
    let total = 0
    for (let tap = 0; tap < length; tap++) {
      const weight = cubic((tap + start - center + 0.5) * (1 / filterScale))
      row[tap] = weight
      total += weight
    }
    for (let tap = 0; tap < length; tap++) {
      const fixed = (row[tap]! / total) * (1 << precisionBits)
      weights[out * size + tap] = Math.trunc(fixed < 0 ? fixed - 0.5 : fixed + 0.5)
    }
    first[out] = start
    count[out] = length
  }
  return { size, first, count, weights }
}

function resizeRows(data: Uint8Array, width: number, height: number, outWidth: number): Uint8Array {
  const { size, first, count, weights } = tapsOf(width, outWidth)
  const out = new Uint8ClampedArray(outWidth * height * 3) // clips overshoot as Pillow does
  const half = 1 << (precisionBits - 1)
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0; x < outWidth; x++, to += 3) {
      let from = (y * width + first[x]!) * 3
      let red = half
      let green = half
      let blue = half
      for (let tap = x * size, end = tap + count[x]!; tap < end; tap++, from += 3) {
        const weight = weights[tap]!
        red = (red + Math.imul(data[from]!, weight)) | 0
        green = (green + Math.imul(data[from + 1]!, weight)) | 0
        blue = (blue + Math.imul(data[from + 2]!, weight)) | 0
      }
      out[to] = red >> precisionBits
      out[to + 1] = green >> precisionBits
      out[to + 2] = blue >> precisionBits
    }
  }
  return new Uint8Array(out.buffer)
}

function resizeColumns(data: Uint8Array, width: number, height: number, outHeight: number): Uint8Array {
  const { size, first, count, weights } = tapsOf(height, outHeight)
  const stride = width * 3
  const out = new Uint8ClampedArray(stride * outHeight)
  const sums = new Int32Array(stride)
  for (let y = 0; y < outHeight; y++) {
    sums.fill(1 << (precisionBits - 1))
    for (let tap = 0; tap < count[y]!; tap++) {
      const weight = weights[y * size + tap]!
      const from = (first[y]! + tap) * stride
      for (let x = 0; x < stride; x++) sums[x] = (sums[x]! + Math.imul(data[from + x]!, weight)) | 0
    }
    for (let x = 0, to = y * stride; x < stride; x++, to++) out[to] = sums[x]! >> precisionBits
  }
  return new Uint8Array(out.buffer)
}

/**
 * Resizes with the bicubic filter of Pillow 13, bit for bit: antialiased when shrinking, in 22-bit fixed point, rounded
 * to 8 bits between the passes. Rows are resampled first, unless the height loses more than twice as many pixels as the
 * width (Pillow up to 12 always began with rows; where overshoot is clipped the order can be seen).
 *
 * @param size in pixels
 * @throws ENCODERS_IMAGE_SIZE when the data do not match the image's size
 */
export function resizeBicubic(image: RgbImage, size: { readonly width: number; readonly height: number }): RgbImage {
  checkImage(image)
  const { width, height } = size
  const lost = image.height - height
  const columnsFirst = lost > 0 && lost > 2 * (image.width - width)
  return columnsFirst ? withWidth(withHeight(image, height), width) : withHeight(withWidth(image, width), height)
}

function withWidth(image: RgbImage, width: number): RgbImage {
  if (width === image.width) return image
  return { width, height: image.height, data: resizeRows(image.data, image.width, image.height, width) }
}

function withHeight(image: RgbImage, height: number): RgbImage {
  if (height === image.height) return image
  return { width: image.width, height, data: resizeColumns(image.data, image.width, image.height, height) }
}

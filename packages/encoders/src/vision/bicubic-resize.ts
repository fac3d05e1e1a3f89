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

/** Rows of `channels` adjacent samples. */
interface Samples {
  readonly width: number
  readonly height: number
  readonly channels: 1 | 3
  readonly data: Uint8Array
}

function resizeRows({ data, width, height, channels }: Samples, outWidth: number): Samples {
  const taps = tapsOf(width, outWidth)
  const out = new Uint8ClampedArray(outWidth * height * channels) // clips overshoot as Pillow does
  const resizeRow = channels === 1 ? resizeGreyRow : resizeColourRow
  for (let y = 0; y < height; y++) resizeRow(data, out, taps, { from: y * width, to: y * outWidth, outWidth })
  return { width: outWidth, height, channels, data: new Uint8Array(out.buffer) }
}

/** Where a row starts, in pixels. */
interface Row {
  readonly from: number
  readonly to: number
  readonly outWidth: number
}

const half = 1 << (precisionBits - 1)

function resizeGreyRow(data: Uint8Array, out: Uint8ClampedArray, taps: Taps, { from, to, outWidth }: Row): void {
  const { size, first, count, weights } = taps
  for (let x = 0; x < outWidth; x++) {
    let at = from + first[x]!
    let sum = half
    for (let tap = x * size, end = tap + count[x]!; tap < end; tap++, at++)
      sum = (sum + Math.imul(data[at]!, weights[tap]!)) | 0
    out[to + x] = sum >> precisionBits
  }
}

function resizeColourRow(data: Uint8Array, out: Uint8ClampedArray, taps: Taps, { from, to, outWidth }: Row): void {
  const { size, first, count, weights } = taps
  for (let x = 0, next = to * 3; x < outWidth; x++, next += 3) {
    let at = (from + first[x]!) * 3
    let red = half
    let green = half
    let blue = half
    for (let tap = x * size, end = tap + count[x]!; tap < end; tap++, at += 3) {
      const weight = weights[tap]!
      red = (red + Math.imul(data[at]!, weight)) | 0
      green = (green + Math.imul(data[at + 1]!, weight)) | 0
      blue = (blue + Math.imul(data[at + 2]!, weight)) | 0
    }
    out[next] = red >> precisionBits
    out[next + 1] = green >> precisionBits
    out[next + 2] = blue >> precisionBits
  }
}

function resizeColumns({ data, width, height, channels }: Samples, outHeight: number): Samples {
  const { size, first, count, weights } = tapsOf(height, outHeight)
  const stride = width * channels
  const out = new Uint8ClampedArray(stride * outHeight)
  const sums = new Int32Array(stride)
  for (let y = 0; y < outHeight; y++) {
    sums.fill(half)
    const end = count[y]!
    let tap = 0
    // Two rows at a time: half as many loads and stores of the sums.
    for (; tap + 1 < end; tap += 2) {
      const [weight, next] = [weights[y * size + tap]!, weights[y * size + tap + 1]!]
      const from = (first[y]! + tap) * stride
      for (let x = 0; x < stride; x++)
        sums[x] = (sums[x]! + Math.imul(data[from + x]!, weight) + Math.imul(data[from + stride + x]!, next)) | 0
    }
    if (tap < end) {
      const weight = weights[y * size + tap]!
      const from = (first[y]! + tap) * stride
      for (let x = 0; x < stride; x++) sums[x] = (sums[x]! + Math.imul(data[from + x]!, weight)) | 0
    }
    for (let x = 0, to = y * stride; x < stride; x++, to++) out[to] = sums[x]! >> precisionBits
  }
  return { width, height: outHeight, channels, data: new Uint8Array(out.buffer) }
}

/**
 * Resizes with the bicubic filter of Pillow 13, bit for bit: antialiased when shrinking, in 22-bit fixed point, rounded
 * to 8 bits between the passes. Rows are resampled first, unless the height loses more than twice as many pixels as the
 * width (Pillow up to 12 always began with rows; where overshoot is clipped the order can be seen). Of a grey picture, as
 * X-rays and scans are, one channel is resampled.
 *
 * @param size in pixels
 * @throws ENCODERS_IMAGE_SIZE when the data do not match the image's size
 */
export function resizeBicubic(image: RgbImage, size: { readonly width: number; readonly height: number }): RgbImage {
  checkImage(image)
  const { width, height } = size
  if (width === image.width && height === image.height) return image
  const lost = image.height - height
  const columnsFirst = lost > 0 && lost > 2 * (image.width - width)
  const samples = isGrey(image.data) ? oneChannel(image) : { ...image, channels: 3 as const }
  const resized = columnsFirst
    ? withWidth(withHeight(samples, height), width)
    : withHeight(withWidth(samples, width), height)
  return { width, height, data: resized.channels === 1 ? threeChannels(resized.data) : resized.data }
}

function withWidth(samples: Samples, width: number): Samples {
  return width === samples.width ? samples : resizeRows(samples, width)
}

function withHeight(samples: Samples, height: number): Samples {
  return height === samples.height ? samples : resizeColumns(samples, height)
}

function isGrey(data: Uint8Array): boolean {
  for (let i = 0; i < data.length; i += 3) if (data[i] !== data[i + 1] || data[i] !== data[i + 2]) return false
  return true
}

function oneChannel({ width, height, data }: RgbImage): Samples {
  const out = new Uint8Array(width * height)
  for (let i = 0, from = 0; i < out.length; i++, from += 3) out[i] = data[from]! // bounded by the loop
  return { width, height, channels: 1, data: out }
}

function threeChannels(levels: Uint8Array): Uint8Array {
  const out = new Uint8Array(levels.length * 3)
  for (let i = 0, to = 0; i < levels.length; i++) {
    const level = levels[i]! // bounded by the loop
    out[to++] = level
    out[to++] = level
    out[to++] = level
  }
  return out
}

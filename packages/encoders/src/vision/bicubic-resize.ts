import type { RgbImage } from './rgb-image.ts'
import { resampleColumns, resampleRows, type Plane, type Taps } from './resize-kernels.ts'
import { checkImage } from './rgb-image.ts'

/** Fixed-point bits of a weight: 32 less 8 for the pixel and 2 for overshoot, as in Pillow's resampling. */
const precisionBits = 22
/** Pillow's bicubic is Keys' kernel with a = -1/2 and reaches two pixels. */
const cubicA = -0.5
const cubicSupport = 2

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

/**
 * Resizes with the bicubic filter of Pillow 13, bit for bit: antialiased when shrinking, in 22-bit fixed point, rounded
 * to 8 bits between the passes. Rows are resampled first, unless the height loses more than twice as many pixels as the
 * width (Pillow up to 12 always began with rows; where overshoot is clipped the order can be seen). Of a grey picture, as
 * X-rays and scans are, one channel is resampled.
 *
 * @param size in pixels
 * @throws ENCODERS_IMAGE_SIZE when the data do not match the image's size, ENCODERS_IMAGE_DATA when they are no bytes
 */
export function resizeBicubic(image: RgbImage, size: { readonly width: number; readonly height: number }): RgbImage {
  const { width, height, planes } = resizePlanes(image, size)
  return { width, height, data: interleaved(planes) }
}

/** A picture whose red, green and blue levels stand apart; those of a grey one are the same array. */
export interface PlanarImage {
  readonly width: number
  readonly height: number
  /** Three times [height * width]. */
  readonly planes: readonly [Uint8Array, Uint8Array, Uint8Array]
}

/** Resizes as `resizeBicubic`, and leaves the channels apart. @throws ENCODERS_IMAGE_SIZE, ENCODERS_IMAGE_DATA */
export function resizePlanes(
  image: RgbImage,
  { width, height }: { readonly width: number; readonly height: number },
): PlanarImage {
  checkImage(image)
  const lost = image.height - height
  const columnsFirst = lost > 0 && lost > 2 * (image.width - width)
  const resized = (channel: number): Uint8Array => {
    const plane = planeOf(image, channel)
    const done = columnsFirst
      ? withWidth(withHeight(plane, height), width)
      : withHeight(withWidth(plane, width), height)
    return done.data
  }
  const red = resized(0)
  return { width, height, planes: isGrey(image.data) ? [red, red, red] : [red, resized(1), resized(2)] }
}

function withWidth(plane: Plane, width: number): Plane {
  return width === plane.width ? plane : resampleRows(plane, width, tapsOf(plane.width, width))
}

function withHeight(plane: Plane, height: number): Plane {
  return height === plane.height ? plane : resampleColumns(plane, height, tapsOf(plane.height, height))
}

function isGrey(data: Uint8Array): boolean {
  for (let i = 0; i < data.length; i += 3) if (data[i] !== data[i + 1] || data[i] !== data[i + 2]) return false
  return true
}

function planeOf({ width, height, data }: RgbImage, channel: number): Plane {
  const out = new Uint8Array(width * height)
  for (let i = 0, from = channel; i < out.length; i++, from += 3) out[i] = data[from]! // bounded by the loop
  return { width, height, data: out }
}

function interleaved([red, green, blue]: PlanarImage['planes']): Uint8Array {
  const out = new Uint8Array(red.length * 3)
  for (let i = 0, to = 0; i < red.length; i++) {
    out[to++] = red[i]! // bounded by the loop, as the next ones
    out[to++] = green[i]!
    out[to++] = blue[i]!
  }
  return out
}

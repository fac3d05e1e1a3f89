import type { MaskRegion } from './mask.ts'

/**
 * A mask as a table of sums [(height + 1) * (width + 1)]; a count costs four look-ups, whatever the mask looks like.
 *
 * @param data [height * width] row-major, 0 outside, anything else inside
 */
export function integralRegion(width: number, height: number, data: Uint8Array): MaskRegion {
  const stride = width + 1
  const sums = sumsOf(width, height, data)
  const pixelsWithin = (left: number, top: number, right: number, bottom: number): number =>
    sums[bottom * stride + right]! -
    sums[top * stride + right]! -
    sums[bottom * stride + left]! +
    sums[top * stride + left]!
  return { width, height, area: sums[sums.length - 1]!, pixelsWithin }
}

/** Sums[y, x] = number of mask pixels in rows before y and columns before x. */
function sumsOf(width: number, height: number, data: Uint8Array): Int32Array {
  const stride = width + 1
  const sums = new Int32Array(stride * (height + 1))
  for (let row = 0; row < height; row++) {
    let inRow = 0
    for (let column = 0; column < width; column++) {
      if (data[row * width + column] !== 0) inRow += 1
      sums[(row + 1) * stride + column + 1] = inRow + sums[row * stride + column + 1]!
    }
  }
  return sums
}

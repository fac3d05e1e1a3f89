import type { MaskRegion } from './mask-region.ts'
import type { PixelRuns } from './run-region.ts'

/** A mask as a table of sums [(height + 1) * (width + 1)]; a count costs four look-ups, whatever the mask looks like. */
export function integralRegion(width: number, height: number, runs: PixelRuns): MaskRegion {
  const stride = width + 1
  const sums = sumsOf(width, height, runs)
  const pixelsWithin = (left: number, top: number, right: number, bottom: number): number =>
    sums[bottom * stride + right]! -
    sums[top * stride + right]! -
    sums[bottom * stride + left]! +
    sums[top * stride + left]!
  return { width, height, area: sums[sums.length - 1]!, pixelsWithin }
}

/** Sums[y, x] = number of mask pixels in rows below y and columns below x. */
function sumsOf(width: number, height: number, { starts, ends }: PixelRuns): Uint32Array {
  const stride = width + 1
  const sums = new Uint32Array(stride * (height + 1))
  for (const [i, start] of starts.entries()) {
    for (let at = start; at < (ends[i] ?? start); at++) {
      const row = Math.floor(at / width)
      sums[(row + 1) * stride + (at - row * width) + 1] = 1
    }
  }
  for (let row = 1; row <= height; row++) {
    let inRow = 0
    for (let column = 1; column <= width; column++) {
      const at = row * stride + column
      inRow += sums[at]!
      sums[at] = inRow + sums[at - stride]!
    }
  }
  return sums
}

import type { MaskRegion } from './mask.ts'
import type { PixelRuns } from './pixel-runs.ts'

/** A mask as runs per row; a count costs the runs in the rows of the box. */
export function runRegion(width: number, height: number, runs: PixelRuns): MaskRegion {
  const { first, lefts, rights } = rowsOf(width, height, runs)
  const area = runs.starts.reduce((sum, start, i) => sum + (runs.ends[i] ?? start) - start, 0)
  const pixelsWithin = (left: number, top: number, right: number, bottom: number): number => {
    const last = first[bottom]!
    let pixels = 0
    for (let run = first[top]!; run < last; run++) {
      const overlap = Math.min(rights[run]!, right) - Math.max(lefts[run]!, left)
      if (overlap > 0) pixels += overlap
    }
    return pixels
  }
  return { width, height, area, pixelsWithin }
}

/** Splits runs at row ends: the runs of row y are `first[y]` to `first[y + 1]` - 1, columns `lefts` to `rights` - 1. */
function rowsOf(
  width: number,
  height: number,
  { starts, ends }: PixelRuns,
): { first: Int32Array; lefts: Int32Array; rights: Int32Array } {
  const first = new Int32Array(height + 1)
  const [lefts, rights]: [number[], number[]] = [[], []]
  for (const [i, start] of starts.entries()) {
    const end = ends[i] ?? start
    for (let at = start; at < end;) {
      const row = Math.floor(at / width)
      const stop = Math.min(end, (row + 1) * width)
      lefts.push(at - row * width)
      rights.push(stop - row * width)
      first[row + 1]! += 1
      at = stop
    }
  }
  for (let row = 0; row < height; row++) first[row + 1]! += first[row]!
  return { first, lefts: Int32Array.from(lefts), rights: Int32Array.from(rights) }
}

import { integralRegion } from './integral-region.ts'
import { rewardsErrors } from '../errors.ts'
import { pixelRuns, type PixelRuns } from './pixel-runs.ts'
import { runRegion } from './run-region.ts'
import type { Mask, MaskImage, MaskRegion, MaskRuns } from './mask.ts'

/** Largest width or height of a mask, in pixels: what image formats of the datasets allow. */
const maxSide = 65_535
/** Above this many runs per row a table of sums counts faster than the runs. */
const runsPerRow = 8
/** Pixels above which no table of sums is made, so that it never exceeds 64 MiB. */
const maxIntegralPixels = 2 ** 24

const encoded = new WeakMap<MaskImage | MaskRuns, MaskRegion>()

/**
 * Encodes a mask once: as run lengths, or as an integral image where the mask is too ragged for runs. The result is
 * remembered for the mask object, so the pixels must not change afterwards.
 *
 * @throws REWARDS_MASK_SIZE when the sides are not 1 to 65,535 or do not fit the pixels
 * @throws REWARDS_MASK_RUNS when a run is not a whole number of at least 0
 */
export function encodeMask(mask: Mask): MaskRegion {
  if ('pixelsWithin' in mask) return mask
  const known = encoded.get(mask)
  if (known !== undefined) return known
  const region = 'rle' in mask ? encodeRuns(mask) : encodePixels(mask)
  encoded.set(mask, region)
  return region
}

function encodePixels({ width, height, data }: MaskImage): MaskRegion {
  checkSides(width, height, data.length)
  const runs = pixelRuns(data, runLimit(width, height))
  return runs === undefined ? integralRegion(width, height, data) : runRegion(width, height, runs)
}

function encodeRuns(mask: MaskRuns): MaskRegion {
  const { width, height } = mask
  const runs = runsOfLengths(mask)
  if (runs.starts.length <= runLimit(width, height)) return runRegion(width, height, runs)
  const data = new Uint8Array(width * height)
  for (const [i, start] of runs.starts.entries()) data.fill(1, start, runs.ends[i])
  return integralRegion(width, height, data)
}

function runLimit(width: number, height: number): number {
  return width * height <= maxIntegralPixels ? runsPerRow * height : Infinity
}

function checkSides(width: number, height: number, pixels: number | undefined): void {
  if (!isSide(width) || !isSide(height) || pixels !== width * height) {
    throw rewardsErrors.MASK_SIZE({ width, height, pixels })
  }
}

function isSide(side: number): boolean {
  return Number.isInteger(side) && side >= 1 && side <= maxSide
}

function runsOfLengths({ width, height, rle }: MaskRuns): PixelRuns {
  let total = 0
  for (const [index, run] of rle.entries()) {
    if (!Number.isInteger(run) || run < 0) throw rewardsErrors.MASK_RUNS({ index, run })
    total += run
  }
  checkSides(width, height, total)
  const [starts, ends]: [number[], number[]] = [[], []]
  let at = 0
  for (const [index, run] of rle.entries()) {
    if (index % 2 === 1 && run > 0) {
      starts.push(at)
      ends.push(at + run)
    }
    at += run
  }
  return { starts, ends }
}

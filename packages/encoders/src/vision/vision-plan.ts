import { encodersErrors } from '../errors.ts'
import { roundedCount, type BatchRounding } from '../size-ladder.ts'
import type { GridThw } from './image-processor.ts'
import type { VisionConfig } from './vision-config.ts'

/** Sizes that a graph is built for; a batch that needs less is padded. */
export interface VisionBucket {
  /** Frames of all images and clips. */
  readonly segments?: number
  /** Attention windows per frame. */
  readonly windows?: number
  /** Patches per window, 64 for a whole one of Qwen2.5-VL; rounded up to whole merge blocks. */
  readonly places?: number
  /** Tokens for the LLM. */
  readonly tokens?: number
}

/**
 * Where the patches of a batch lie in the tower. Patches fill slots [segment, window, place]: a segment is one frame, its
 * windows follow row by row, and all windows and all segments are padded to the largest, so that both kinds of attention
 * are plain batches and a graph depends on three lengths and no contents.
 */
export interface VisionPlan {
  readonly segments: number
  readonly windows: number
  /** Slots per window, a multiple of spatialMergeSize². */
  readonly places: number
  /** [segments * windows * places] the patch in each slot, −1 in padding. */
  readonly patchOfSlot: Int32Array
  /** [slots, headDim / 2] rotary tables: the rows of an image, then its columns. */
  readonly cos: Float32Array
  /** [slots, headDim / 2] */
  readonly sin: Float32Array
  /** [slots] 0 for a patch, a large negative number for padding; absent without padding and bucket. */
  readonly keyMask?: Float32Array
  /** [tokens] the merged slot of every token, in the order of the images; padding points at slot 0. */
  readonly slotOfToken: Int32Array
}

/** Added to the score of a padded key. */
const hiddenKey = -1e9

/**
 * Plans a batch of images and clips.
 *
 * @param grids one per image or clip, in patches
 * @param bucket sizes to pad to, or how to round. Default: the smallest that hold the batch
 * @throws ENCODERS_GRID when a grid is not in whole merge blocks
 * @throws ENCODERS_VISION_BUCKET when the batch does not fit the bucket
 */
export function planVision(
  config: VisionConfig,
  grids: readonly GridThw[],
  bucket: VisionBucket | BatchRounding = {},
): VisionPlan {
  const frames = framesOf(config, grids)
  const area = config.spatialMergeSize ** 2
  const largestWindow = Math.max(1, ...frames.flatMap(frame => frame.map(window => window.length)))
  const unitsPerWindow = Math.ceil(sizeInBucket('places', largestWindow * area, bucket) / area)
  const segments = sizeInBucket('segments', frames.length, bucket)
  const windows = sizeInBucket('windows', Math.max(1, ...frames.map(frame => frame.length)), bucket)
  const units = frames.flat(2)
  const tokens = sizeInBucket('tokens', units.length, bucket)
  const slots = segments * windows * unitsPerWindow * area
  const patchOfSlot = new Int32Array(slots).fill(-1)
  const slotOfToken = new Int32Array(tokens)
  const tables = rotaryTables(config, slots)
  frames.forEach((frame, segment) =>
    frame.forEach((window, w) =>
      window.forEach((unit, u) => {
        const unitSlot = (segment * windows + w) * unitsPerWindow + u
        slotOfToken[unit.token] = unitSlot
        for (let inner = 0; inner < area; inner++) {
          const slot = unitSlot * area + inner
          patchOfSlot[slot] = unit.token * area + inner
          const row = unit.row * config.spatialMergeSize + Math.floor(inner / config.spatialMergeSize)
          tables.fill(slot, row, unit.column * config.spatialMergeSize + (inner % config.spatialMergeSize))
        }
      }),
    ),
  )
  const isBucket =
    typeof bucket === 'string' ? bucket !== 'exact' : Object.values(bucket).some(size => size !== undefined)
  const isPadded = units.length * area < slots || isBucket
  const keyMask = isPadded ? Float32Array.from(patchOfSlot, patch => (patch < 0 ? hiddenKey : 0)) : undefined
  const places = unitsPerWindow * area
  const { cos, sin } = tables
  return { segments, windows, places, patchOfSlot, cos, sin, ...(keyMask && { keyMask }), slotOfToken }
}

/** Names the graph that a plan needs. */
export function visionPlanKey({ segments, windows, places, slotOfToken, keyMask }: VisionPlan): string {
  return `vision ${segments}x${windows}x${places} ${slotOfToken.length}${keyMask ? ' masked' : ''}`
}

/** Copies patches into their slots; padding stays zero. */
export function patchesInSlots(
  { patchOfSlot }: VisionPlan,
  pixelValues: Float32Array,
  patchLength: number,
): Float32Array {
  const slots = new Float32Array(patchOfSlot.length * patchLength)
  patchOfSlot.forEach((patch, slot) => {
    if (patch >= 0) slots.set(pixelValues.subarray(patch * patchLength, (patch + 1) * patchLength), slot * patchLength)
  })
  return slots
}

/** A merge block: `token` counts through the batch, row and column through its frame. */
interface Unit {
  readonly token: number
  readonly row: number
  readonly column: number
}

/** Merge blocks by frame and window. */
function framesOf(config: VisionConfig, grids: readonly GridThw[]): Unit[][][] {
  const { spatialMergeSize, windowSize, patchSize } = config
  const windowSide = Math.floor(windowSize / spatialMergeSize / patchSize)
  let token = 0
  return grids.flatMap(grid => {
    const [frames, patchRows, patchColumns] = grid
    const [rows, columns] = [patchRows / spatialMergeSize, patchColumns / spatialMergeSize]
    if (![frames, rows, columns].every(length => Number.isInteger(length) && length > 0))
      throw encodersErrors.GRID({ grid, mergeSize: spatialMergeSize })
    const windowColumns = Math.ceil(columns / windowSide)
    return Array.from({ length: frames }, () => {
      const windows: Unit[][] = Array.from({ length: Math.ceil(rows / windowSide) * windowColumns }, () => [])
      for (let row = 0; row < rows; row++)
        for (let column = 0; column < columns; column++) {
          const window = Math.floor(row / windowSide) * windowColumns + Math.floor(column / windowSide)
          windows[window]!.push({ token: token++, row, column })
        }
      return windows
    })
  })
}

function sizeInBucket(what: keyof VisionBucket, needed: number, bucket: VisionBucket | BatchRounding): number {
  if (typeof bucket === 'string') return roundedCount(needed, bucket)
  const given = bucket[what]
  if (given !== undefined && given < needed) throw encodersErrors.VISION_BUCKET({ what, needed, given })
  return given ?? needed
}

/** Rotary angles of the row in the first quarter of a head, of the column in the second (theta 10,000). */
function rotaryTables(
  { hiddenSize, numHeads }: VisionConfig,
  slots: number,
): { cos: Float32Array; sin: Float32Array; fill(slot: number, row: number, column: number): void } {
  const half = hiddenSize / numHeads / 2
  const frequencies = Float64Array.from({ length: half / 2 }, (_, i) => 10_000 ** (-(2 * i) / half))
  const cos = new Float32Array(slots * half).fill(1)
  const sin = new Float32Array(slots * half)
  return {
    cos,
    sin,
    fill(slot, row, column) {
      frequencies.forEach((frequency, i) => {
        const at = slot * half + i
        cos[at] = Math.cos(row * frequency)
        sin[at] = Math.sin(row * frequency)
        cos[at + half / 2] = Math.cos(column * frequency)
        sin[at + half / 2] = Math.sin(column * frequency)
      })
    },
  }
}

import { modelErrors } from '../../errors.ts'

/** What stands at a position of the sequence; the numbers are those of transformers' token types. */
export const tokenType = { text: 0, image: 1, video: 2 } as const

/** Time, height and width of an image or video in patches, before the 2 × 2 merge. An image has t = 1. */
export type GridThw = readonly [t: number, h: number, w: number]

/** Which rule numbers what follows a vision block; see `mropePositions`. */
export type MropeRule = 'legacy' | 'hf5'

/** Options of `mropePositions`. */
export interface MropeOptions {
  readonly imageGrids?: readonly GridThw[]
  readonly videoGrids?: readonly GridThw[]
  /** Seconds between two temporal patches, per video. Default 1. */
  readonly secondsPerGrid?: readonly number[]
  /** Temporal positions per second of video (config: vision_config.tokens_per_second). */
  readonly tokensPerSecond?: number
  /** Patches merged along each side (config: vision_config.spatial_merge_size). */
  readonly spatialMergeSize?: number
  readonly rule?: MropeRule
}

/** Positions of one sequence, and by how much the next position differs from the sequence's length. */
export interface MropePositions {
  /** [3 * T] time, then height, then width. */
  readonly positionIds: Int32Array
  /** Largest position + 1 − T: token number n of the continuation stands at position n + ropeDelta. */
  readonly ropeDelta: number
}

/**
 * Numbers the tokens of one sequence for M-RoPE (Qwen2.5-VL): text advances all three axes together, an image or video
 * block takes (time, height, width) of its merged patches. ECG tokens are text here.
 *
 * After a block the text goes on at the largest position so far + 1 (rule `legacy`: transformers 4.49, the paper's time).
 * transformers 5 (`hf5`) goes on after max(h, w) of the block's merged grid, whatever its length in time, which lets
 * positions of a long video repeat.
 *
 * @param tokenTypes [T] values of `tokenType`
 * @throws MODEL_GRID_MISMATCH
 */
export function mropePositions(tokenTypes: ArrayLike<number>, options: MropeOptions = {}): MropePositions {
  const length = tokenTypes.length
  const positionIds = new Int32Array(3 * length)
  const blocks = blockQueue(options)
  let next = 0
  let largest = -1
  for (let i = 0; i < length;) {
    const type = tokenTypes[i]!
    if (type === tokenType.text) {
      for (let axis = 0; axis < 3; axis++) positionIds[axis * length + i] = next
      largest = Math.max(largest, next)
      next++
      i++
      continue
    }
    const block = blocks.take(type, i)
    requireBlock(tokenTypes, i, block)
    largest = Math.max(largest, writeBlock(positionIds, i, next, block))
    next = options.rule === 'hf5' ? next + Math.max(block.height, block.width) : largest + 1
    i += block.frames * block.height * block.width
  }
  blocks.requireEmpty()
  return { positionIds, ropeDelta: largest + 1 - length }
}

/** One image or video in merged patches, with the temporal positions between its frames. */
interface VisionBlock {
  readonly frames: number
  readonly height: number
  readonly width: number
  readonly interval: number
}

interface BlockQueue {
  /** The next block of that token type; `index` is for the message. */
  take(type: number, index: number): VisionBlock
  requireEmpty(): void
}

function blockQueue(options: MropeOptions): BlockQueue {
  const { imageGrids = [], videoGrids = [], secondsPerGrid = [], tokensPerSecond = 2, spatialMergeSize = 2 } = options
  const used = { image: 0, video: 0 }
  return {
    take(type, index) {
      const seconds = secondsPerGrid[used.video] ?? 1
      const grid = type === tokenType.image ? imageGrids[used.image++] : videoGrids[used.video++]
      if (grid === undefined) throw modelErrors.GRID_MISMATCH({ problem: `no grid is left for token ${index}` })
      const [frames, height, width] = grid
      const interval = type === tokenType.image ? 0 : seconds * tokensPerSecond
      return { frames, height: height / spatialMergeSize, width: width / spatialMergeSize, interval }
    },
    requireEmpty() {
      const left = imageGrids.length + videoGrids.length - used.image - used.video
      if (left > 0) throw modelErrors.GRID_MISMATCH({ problem: `${left} grids have no vision block in the sequence` })
    },
  }
}

function requireBlock(tokenTypes: ArrayLike<number>, start: number, block: VisionBlock): void {
  const size = block.frames * block.height * block.width
  for (let i = start; i < start + size; i++) {
    if (tokenTypes[i] === tokenTypes[start]) continue
    throw modelErrors.GRID_MISMATCH({
      problem: `the block at token ${start} has ${i - start} tokens, its grid ${size}`,
    })
  }
}

/** Writes the positions of one block that begins at `start` in the sequence and `first` in position; answers the largest. */
function writeBlock(positionIds: Int32Array, start: number, first: number, block: VisionBlock): number {
  const length = positionIds.length / 3
  let i = start
  for (let frame = 0; frame < block.frames; frame++) {
    const time = first + Math.trunc(frame * block.interval)
    for (let row = 0; row < block.height; row++) {
      for (let column = 0; column < block.width; column++, i++) {
        positionIds[i] = time
        positionIds[length + i] = first + row
        positionIds[2 * length + i] = first + column
      }
    }
  }
  const lastTime = Math.trunc((block.frames - 1) * block.interval)
  return first + Math.max(lastTime, block.height - 1, block.width - 1)
}

import { encodersErrors } from '../errors.ts'
import { resizePlanes, type PlanarImage } from './bicubic-resize.ts'
import { resizeNearest } from './nearest-resize.ts'
import { checkImage, type RgbImage } from './rgb-image.ts'
import { smartResize, type PixelLimits } from './smart-resize.ts'

/** Frames, rows and columns of patches: Qwen2.5-VL's `image_grid_thw`. */
export type GridThw = readonly [frames: number, rows: number, columns: number]

/** Patches of one image or clip. */
export interface PixelPatches {
  /** [frames * rows * columns, channels * temporalPatchSize * patchSize²], patches of a merge block adjacent. */
  readonly pixelValues: Float32Array
  readonly gridThw: GridThw
}

/** What turns pictures into patches; the names are those of preprocessor_config.json, camelCased. */
export interface ImageProcessorConfig extends PixelLimits {
  readonly patchSize: number
  readonly mergeSize: number
  readonly temporalPatchSize: number
  /** Per channel, of values in [0, 1]. */
  readonly imageMean: readonly [number, number, number]
  /** Per channel, of values in [0, 1]. */
  readonly imageStd: readonly [number, number, number]
  /**
   * Brings the area within these limits by nearest neighbour before anything else. The released model's data code did
   * so; the paper's processor does not.
   */
  readonly nearestFirst?: PixelLimits
}

/** Qwen2.5-VL's processor with the paper's limit of 524,288 pixels (D.1). */
export const defaultImageProcessor: ImageProcessorConfig = {
  patchSize: 14,
  mergeSize: 2,
  temporalPatchSize: 2,
  imageMean: [0.48145466, 0.4578275, 0.40821073],
  imageStd: [0.26862954, 0.26130258, 0.27577711],
  minPixels: 56 * 56,
  maxPixels: 524_288,
}

/** The released code's way: nearest neighbour to 65,536 … 524,288 pixels, then the processor with Qwen's own limits. */
export const releaseImageProcessor: ImageProcessorConfig = {
  ...defaultImageProcessor,
  maxPixels: 12_845_056,
  nearestFirst: { minPixels: 256 * 256, maxPixels: 524_288 },
}

/**
 * Turns an image into patches as Qwen2-VL's image processor does with Pillow: smart resize, bicubic, (x / 255 − mean) /
 * std, then patches in the order of the vision tower. A still image fills both halves of the temporal patch.
 *
 * @throws ENCODERS_IMAGE_SIZE, ENCODERS_IMAGE_DATA, ENCODERS_IMAGE_ASPECT, ENCODERS_PIXEL_LIMITS
 */
export function processImage(image: RgbImage, config: ImageProcessorConfig = defaultImageProcessor): PixelPatches {
  return processVideo([image], config)
}

/**
 * Turns the frames of a video, or the slices of a volume, into patches; `temporalPatchSize` neighbours share a patch and
 * the last frame is repeated where one is missing.
 *
 * @param frames all of one size
 * @throws ENCODERS_FRAMES_EMPTY, ENCODERS_FRAME_SIZES, ENCODERS_IMAGE_SIZE, ENCODERS_IMAGE_DATA, ENCODERS_IMAGE_ASPECT,
 *   ENCODERS_PIXEL_LIMITS
 */
export function processVideo(
  frames: readonly RgbImage[],
  config: ImageProcessorConfig = defaultImageProcessor,
): PixelPatches {
  const [first] = frames
  if (!first) throw encodersErrors.FRAMES_EMPTY({ total: 0, count: 1 })
  frames.forEach((frame, i) => {
    checkImage(frame)
    if (frame.width !== first.width || frame.height !== first.height)
      throw encodersErrors.FRAME_SIZES({
        frame: i,
        width: frame.width,
        height: frame.height,
        firstWidth: first.width,
        firstHeight: first.height,
      })
  })
  const resized = frames.map(frame => resizeForTower(frame, config))
  return patchesOf(resized, config)
}

/** Size after `nearestFirst`: the side lengths are cut, not rounded, so that the area is just within the limits. */
export function nearestSize({ width, height }: Size, { minPixels, maxPixels }: PixelLimits): Size {
  const scaled = (factor: number): Size => ({
    width: Math.trunc(width * factor),
    height: Math.trunc(height * factor),
  })
  const shrunk = width * height > maxPixels ? scaled(Math.sqrt(maxPixels / (width * height))) : { width, height }
  if (shrunk.width * shrunk.height >= minPixels) return shrunk
  const factor = Math.sqrt(minPixels / (shrunk.width * shrunk.height))
  return { width: Math.trunc(shrunk.width * factor), height: Math.trunc(shrunk.height * factor) }
}

/** A width and a height in pixels. */
interface Size {
  readonly width: number
  readonly height: number
}

/**
 * The size at which a picture, or a frame of a clip, is seen: what `processImage` resizes it to. Boxes of a model are in
 * pixels of this size.
 *
 * @param stored in pixels of the file
 * @throws ENCODERS_IMAGE_ASPECT, ENCODERS_PIXEL_LIMITS
 */
export function seenSize(stored: Size, config: ImageProcessorConfig = defaultImageProcessor): Size {
  const { width, height } = config.nearestFirst ? nearestSize(stored, config.nearestFirst) : stored
  return smartResize(height, width, config.patchSize * config.mergeSize, config)
}

function resizeForTower(image: RgbImage, config: ImageProcessorConfig): PlanarImage {
  const source = config.nearestFirst ? resizeNearest(image, nearestSize(image, config.nearestFirst)) : image
  return resizePlanes(source, seenSize(image, config))
}

/** The normalised value of each of the 256 levels, per channel: [3][256]. */
function normalisation({
  imageMean,
  imageStd,
}: ImageProcessorConfig): readonly [Float32Array, Float32Array, Float32Array] {
  const levels = (channel: 0 | 1 | 2): Float32Array =>
    Float32Array.from({ length: 256 }, (_, level) => (level / 255 - imageMean[channel]) / imageStd[channel])
  return [levels(0), levels(1), levels(2)]
}

/** Cuts equally sized frames into patches in the order [frame pair, block row, block column, row, column]. */
function patchesOf(frames: readonly PlanarImage[], config: ImageProcessorConfig): PixelPatches {
  const { patchSize, mergeSize, temporalPatchSize } = config
  const { width, height } = frames[0]! // processVideo checks that there is one
  const grid: GridThw = [Math.ceil(frames.length / temporalPatchSize), height / patchSize, width / patchSize]
  const patchLength = 3 * temporalPatchSize * patchSize ** 2
  const pixelValues = new Float32Array(grid[0] * grid[1] * grid[2] * patchLength)
  const copy = patchCopier(pixelValues, config)
  for (let pair = 0, to = 0; pair < grid[0]; pair++) {
    const pairFrames = Array.from(
      { length: temporalPatchSize },
      (_, depth) => frames[Math.min(pair * temporalPatchSize + depth, frames.length - 1)]!, // the last one repeats
    )
    for (let block = 0; block < (grid[1] * grid[2]) / mergeSize ** 2; block++) {
      const blockRow = Math.floor((block * mergeSize) / grid[2]) * mergeSize
      const blockColumn = (block * mergeSize) % grid[2]
      for (let inner = 0; inner < mergeSize ** 2; inner++, to += patchLength) {
        const row = (blockRow + Math.floor(inner / mergeSize)) * patchSize
        copy(pairFrames, row, (blockColumn + (inner % mergeSize)) * patchSize, to)
      }
    }
  }
  return { pixelValues, gridThw: grid }
}

/** A function that writes the patch at (row, column) of neighbouring frames: [channel, depth, y, x] from `to` on. */
function patchCopier(
  pixelValues: Float32Array,
  config: ImageProcessorConfig,
): (frames: readonly PlanarImage[], row: number, column: number, to: number) => void {
  const { patchSize, temporalPatchSize } = config
  const area = patchSize * patchSize
  const channelStride = temporalPatchSize * area
  const [red, green, blue] = normalisation(config)
  const copySquare = (
    { planes: [reds, greens, blues], width }: PlanarImage,
    row: number,
    column: number,
    to: number,
  ): void => {
    for (let y = 0; y < patchSize; y++) {
      let from = (row + y) * width + column
      for (let x = 0; x < patchSize; x++, from++, to++) {
        pixelValues[to] = red[reds[from]!]!
        pixelValues[to + channelStride] = green[greens[from]!]!
        pixelValues[to + 2 * channelStride] = blue[blues[from]!]!
      }
    }
  }
  // A still image fills both halves of a temporal patch: each level is looked up once.
  const copyTwice = (
    { planes: [reds, greens, blues], width }: PlanarImage,
    row: number,
    column: number,
    to: number,
  ): void => {
    for (let y = 0; y < patchSize; y++) {
      let from = (row + y) * width + column
      for (let x = 0; x < patchSize; x++, from++, to++) {
        const r = red[reds[from]!]!
        const g = green[greens[from]!]!
        const b = blue[blues[from]!]!
        pixelValues[to] = r
        pixelValues[to + area] = r
        pixelValues[to + 2 * area] = g
        pixelValues[to + 3 * area] = g
        pixelValues[to + 4 * area] = b
        pixelValues[to + 5 * area] = b
      }
    }
  }
  return (frames, row, column, to) => {
    const [first, second] = frames
    if (first && frames.length === 2 && first === second) return copyTwice(first, row, column, to)
    for (const [depth, frame] of frames.entries()) copySquare(frame, row, column, to + depth * area)
  }
}

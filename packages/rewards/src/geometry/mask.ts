/** A segmentation mask as pixels: `data` [height * width] row-major, 0 outside, anything else inside. */
export interface MaskImage {
  readonly width: number
  readonly height: number
  readonly data: Uint8Array
}

/** A segmentation mask as run lengths over the pixels in row-major order, starting with the zeros. */
export interface MaskRuns {
  readonly width: number
  readonly height: number
  readonly rle: readonly number[]
}

/** A mask encoded for counting: a count costs the runs it meets, or four look-ups, never the box's pixels. */
export interface MaskRegion {
  readonly width: number
  readonly height: number
  /** Number of pixels inside the mask. */
  readonly area: number
  /**
   * Counts the mask's pixels in columns `left` to `right` - 1 and rows `top` to `bottom` - 1; all are whole numbers
   * within the mask.
   */
  pixelsWithin(left: number, top: number, right: number, bottom: number): number
}

/** A mask in any of its forms. */
export type Mask = MaskImage | MaskRuns | MaskRegion

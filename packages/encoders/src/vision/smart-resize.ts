import { encodersErrors } from '../errors.ts'

/** Bounds on the area of an image after resizing, in pixels. */
export interface PixelLimits {
  readonly minPixels: number
  readonly maxPixels: number
}

/** Longest side over shortest side beyond which Qwen2-VL refuses an image. */
const maxAspect = 200

/** Rounds halves to the even neighbour, as Python does. */
function roundHalfEven(value: number): number {
  const floor = Math.floor(value)
  const rest = value - floor
  if (rest !== 0.5) return rest < 0.5 ? floor : floor + 1
  return floor % 2 === 0 ? floor : floor + 1
}

/**
 * Chooses the size an image is resized to: both sides multiples of `factor`, the area within the limits where the
 * shape allows it, the aspect ratio nearly kept (Qwen2-VL's `smart_resize`).
 *
 * @param height in pixels
 * @param width in pixels
 * @param factor patch size times merge size, 28 for Qwen2.5-VL
 * @throws ENCODERS_IMAGE_ASPECT when one side is more than 200 times the other
 * @throws ENCODERS_PIXEL_LIMITS when no image can meet the limits
 */
export function smartResize(
  height: number,
  width: number,
  factor: number,
  { minPixels, maxPixels }: PixelLimits,
): { height: number; width: number } {
  if (!(minPixels <= maxPixels) || !(maxPixels >= factor * factor))
    throw encodersErrors.PIXEL_LIMITS({ minPixels, maxPixels, area: factor * factor })
  if (Math.max(height, width) / Math.min(height, width) > maxAspect)
    throw encodersErrors.IMAGE_ASPECT({ width, height, limit: maxAspect })
  const rounded = { height: roundHalfEven(height / factor) * factor, width: roundHalfEven(width / factor) * factor }
  if (rounded.height * rounded.width > maxPixels) {
    const beta = Math.sqrt((height * width) / maxPixels)
    const shrink = (side: number): number => Math.max(factor, Math.floor(side / beta / factor) * factor)
    return { height: shrink(height), width: shrink(width) }
  }
  if (rounded.height * rounded.width < minPixels) {
    const beta = Math.sqrt(minPixels / (height * width))
    const grow = (side: number): number => Math.ceil((side * beta) / factor) * factor
    return { height: grow(height), width: grow(width) }
  }
  return rounded
}

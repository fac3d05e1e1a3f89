import type { ImageSize, ParsedResponse } from '@qoq-med/rewards'

/** Gives the size at which a policy sees a picture of a given size, both in pixels. */
export type SeenSize = (stored: ImageSize) => ImageSize

/**
 * Converts the boxes of an answer from pixels of the pictures as the policy sees them, in which it answers, to pixels of
 * the pictures as stored.
 *
 * @param imageSizes of the pictures as stored
 */
export function inStoredPixels(
  response: ParsedResponse,
  imageSizes: readonly ImageSize[],
  seenSize: SeenSize,
): ParsedResponse {
  const boxes = response.boxes.map(box => {
    const stored = imageSizes[box.image ?? 0]
    if (stored === undefined) return box
    const seen = seenSize(stored)
    const [x, y] = [stored.width / seen.width, stored.height / seen.height]
    return { ...box, x1: box.x1 * x, y1: box.y1 * y, x2: box.x2 * x, y2: box.y2 * y }
  })
  return { ...response, boxes }
}

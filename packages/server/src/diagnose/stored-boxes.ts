import type { ResponseBox } from '@qoq-med/rewards'
import type { SeenPicture } from '../media/seen-pictures.ts'

/** A box of an answer in pixels of a picture as it was sent; x2 and y2 lie outside it. */
export interface StoredBox {
  /** Index of the picture among the pictures of the answer. */
  readonly picture: number
  readonly label: string | null
  readonly x1: number
  readonly y1: number
  readonly x2: number
  readonly y2: number
}

/**
 * Takes boxes, which an answer writes in pixels of the pictures as the model sees them, to pixels of the pictures as sent.
 * What reaches beyond a picture is cut at its edge; what lies outside, or in no picture, is left out, and said.
 */
export function storedBoxes(
  boxes: readonly ResponseBox[],
  pictures: readonly SeenPicture[],
): { readonly boxes: readonly StoredBox[]; readonly warnings: readonly string[] } {
  const stored = boxes.flatMap(box => storedBox(box, pictures[box.image ?? 0]))
  const lost = boxes.length - stored.length
  const are = lost === 1 ? 'box lies' : 'boxes lie'
  return {
    boxes: stored,
    warnings: lost > 0 ? [`${lost} ${are} outside the pictures and ${lost === 1 ? 'is' : 'are'} left out`] : [],
  }
}

function storedBox(box: ResponseBox, picture: SeenPicture | undefined): StoredBox[] {
  if (!picture) return []
  const { width, height, seen } = picture
  const [x, y] = [width / seen.width, height / seen.height]
  const clipped = {
    x1: within(box.x1 * x, width),
    y1: within(box.y1 * y, height),
    x2: within(box.x2 * x, width),
    y2: within(box.y2 * y, height),
  }
  if (clipped.x2 <= clipped.x1 || clipped.y2 <= clipped.y1) return []
  return [{ picture: box.image ?? 0, label: box.label ?? null, ...clipped }]
}

/** To a tenth of a pixel: the conversion between picture sizes leaves long fractions. */
function within(value: number, size: number): number {
  return Math.round(Math.min(size, Math.max(0, value)) * 10) / 10
}

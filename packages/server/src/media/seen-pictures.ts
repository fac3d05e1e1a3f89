import type { RgbImage } from '@qoq-med/data-climb'
import { parseResponse } from '@qoq-med/rewards'
import type { Policy } from '@qoq-med/model'

/** A picture of a request: its size, and the size at which the model sees it. Both in pixels. */
export interface SeenPicture {
  readonly width: number
  readonly height: number
  readonly seen: { readonly width: number; readonly height: number }
}

/** The pictures of a request in their order; where the policy does not say at which size it sees them, at their own. */
export function seenPictures(images: readonly RgbImage[], policy: Pick<Policy, 'seenSize'>): SeenPicture[] {
  return images.map(({ width, height }) => {
    const seen = policy.seenSize?.({ width, height }) ?? { width, height }
    return { width, height, seen: { width: seen.width, height: seen.height } }
  })
}

/** A box of an answer in pixels of the picture as it was sent. */
export interface FileBox {
  /** Index of the picture. */
  readonly image: number
  readonly label: string | null
  readonly bbox_2d: readonly [x1: number, y1: number, x2: number, y2: number]
}

/** The boxes that an answer lists, which it writes in pixels of the pictures as the model sees them. */
export function fileBoxes(answer: string, pictures: readonly SeenPicture[]): FileBox[] {
  return parseResponse(answer).boxes.flatMap(({ image = 0, label = null, x1, y1, x2, y2 }) => {
    const picture = pictures[image]
    if (picture === undefined) return []
    const [x, y] = [picture.width / picture.seen.width, picture.height / picture.seen.height]
    return [{ image, label, bbox_2d: [tenth(x1 * x), tenth(y1 * y), tenth(x2 * x), tenth(y2 * y)] as const }]
  })
}

/** To a tenth of a pixel: the conversion between picture sizes leaves long fractions. */
function tenth(value: number): number {
  return Math.round(value * 10) / 10
}

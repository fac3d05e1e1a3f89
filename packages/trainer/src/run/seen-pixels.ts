import type { PictureScale, PictureSize, SampleTruth } from '@qoq-med/data-climb'
import type { PolicyModel } from '@qoq-med/model'
import { encodeMask, type Truth, type TruthBox, type ViewLink } from '@qoq-med/rewards'

/** How one picture was scaled, and its size as the model sees it. */
interface SeenPicture extends PictureSize, PictureScale {}

/**
 * The scale of every picture or frame between its file and what the model sees.
 *
 * @param stored sizes of the pictures or frames, as stored
 */
export function pictureScales({ seenSize }: PolicyModel, stored: readonly PictureSize[]): SeenPicture[] {
  return stored.map(size => {
    const { width, height } = seenSize(size)
    return { x: width / size.width, y: height / size.height, width, height }
  })
}

const asStored = { x: 1, y: 1 } as const

/**
 * The truth in pixels of the pictures as the model sees them. Masks stay as stored, since rewards scale boxes to them, but
 * encoded: their pixels are dropped.
 */
export function seenTruth(
  { boxes = [], mask, image, views = [], ...rest }: SampleTruth,
  scales: readonly SeenPicture[],
): Truth {
  const seen = scales.length > 0 ? scales.map(({ width, height }) => ({ width, height })) : image
  return {
    ...rest,
    ...(boxes.length > 0 && { boxes: boxes.map(box => seenBox(box, scales)) }),
    ...(mask && { mask: mask.map(encodeMask) }),
    ...(seen && { image: seen }),
    ...(views.length > 0 && { views: views.map(view => seenView(view, scales)) }),
  }
}

function seenBox(box: TruthBox, scales: readonly PictureScale[]): TruthBox {
  const { x, y } = scales[box.image ?? 0] ?? asStored
  return { ...box, x1: box.x1 * x, y1: box.y1 * y, x2: box.x2 * x, y2: box.y2 * y }
}

/** The transform between stored pictures, between the same pictures as seen: S T S'^-1. */
function seenView(
  { image, from, transform }: NonNullable<SampleTruth['views']>[number],
  scales: readonly PictureScale[],
): ViewLink {
  const [a, b, c, d, e, f] = transform
  const { x, y } = scales[image] ?? asStored
  const other = scales[from] ?? asStored
  return {
    image,
    from,
    transform: [(a * x) / other.x, (b * x) / other.y, c * x, (d * y) / other.x, (e * y) / other.y, f * y],
  }
}

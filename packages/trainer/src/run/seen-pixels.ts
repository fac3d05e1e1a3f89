import type { PictureSize, SampleTruth } from '@qoq-med/data-climb'
import type { Encoded, PolicyModel } from '@qoq-med/model'
import { encodeMask, type Truth, type TruthBox, type ViewLink } from '@qoq-med/rewards'

/** How one picture was scaled, and its size as the model sees it. */
export interface PictureScale extends PictureSize {
  readonly x: number
  readonly y: number
}

/** Scales by picture; a picture beyond the list is taken as stored. */
export type PictureScales = readonly Pick<PictureScale, 'x' | 'y'>[]

/**
 * The scale of every picture of a prompt, or of every frame of a clip, whose frames are seen at one size.
 *
 * @param stored sizes of the pictures or frames, as stored
 */
export function pictureScales(model: PolicyModel, prompt: Encoded, stored: readonly PictureSize[]): PictureScale[] {
  const { patchSize } = model.imageProcessor
  return stored.flatMap((size, picture) => {
    const seen = prompt.vision[prompt.vision.length === stored.length ? picture : 0]
    if (!seen) return []
    const [width, height] = [seen.gridThw[2] * patchSize, seen.gridThw[1] * patchSize]
    return [{ x: width / size.width, y: height / size.height, width, height }]
  })
}

const asStored = { x: 1, y: 1 } as const

/**
 * The truth in pixels of the pictures as the model sees them. Masks stay as stored, since rewards scale boxes to them, but
 * encoded: their pixels are dropped.
 */
export function seenTruth(
  { boxes = [], mask, image, views = [], ...rest }: SampleTruth,
  scales: readonly PictureScale[],
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

function seenBox(box: TruthBox, scales: PictureScales): TruthBox {
  const { x, y } = scales[box.image ?? 0] ?? asStored
  return { ...box, x1: box.x1 * x, y1: box.y1 * y, x2: box.x2 * x, y2: box.y2 * y }
}

/** The transform between stored pictures, between the same pictures as seen: S T S'^-1. */
function seenView(
  { image, from, transform }: NonNullable<SampleTruth['views']>[number],
  scales: PictureScales,
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

/** A box entry of a reference response: four whole numbers, then the label and the picture where they are named. */
const boxEntry = /"bbox_2d": \[(\d+), (\d+), (\d+), (\d+)\](, "label": "(?:[^"\\]|\\.)*"(?:, "image": (\d+))?)?/g

/** Rewrites the boxes of a reference response from pixels of the files to pixels of the pictures as the model sees them. */
export function scaleReferenceBoxes(reference: string, scales: PictureScales): string {
  return reference.replace(boxEntry, (_match, ...parts: (string | undefined)[]) => {
    const { x, y } = scales[Number(parts[5] ?? 0)] ?? asStored
    const scaled = parts.slice(0, 4).map((value, i) => Math.round(Number(value) * (i % 2 === 0 ? x : y)))
    return `"bbox_2d": [${scaled.join(', ')}]${parts[4] ?? ''}`
  })
}

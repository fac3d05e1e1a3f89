import type { EcgRecording, RgbImage, Sample } from '@qoq-med/data-climb'
import type { ImageSize, ParsedResponse, Truth } from '@qoq-med/rewards'

/** A piece of a prompt, as the model package takes it. */
export type EvaluationPart =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'image'; readonly image: RgbImage }
  | { readonly type: 'video'; readonly frames: readonly RgbImage[] }
  | { readonly type: 'ecg'; readonly ecg: EcgRecording }

/** One turn of a prompt, as the model package takes it. */
export interface EvaluationMessage {
  readonly role: 'user'
  readonly content: readonly EvaluationPart[]
}

/** A sample with its media decoded: what the policy is shown, and what its answer is compared with. */
export interface PreparedSample {
  readonly prompt: readonly EvaluationMessage[]
  /** Boxes and mask are in pixels of the pictures as stored. */
  readonly truth: Truth
  /** Sizes of the pictures or frames, as stored. */
  readonly imageSizes: readonly ImageSize[]
}

/**
 * Decodes a sample's media and writes its prompt: the pictures or frames, the ECG, then the question.
 *
 * @throws what the sample's readers throw
 */
export async function prepareSample(sample: Sample): Promise<PreparedSample> {
  const [images = [], ecg, mask] = await Promise.all([sample.images?.(), sample.ecg?.(), sample.mask?.()])
  const content: EvaluationPart[] = [
    ...visualParts(images, sample.modality.includes('video')),
    ...(ecg === undefined ? [] : [{ type: 'ecg', ecg } as const]),
    { type: 'text', text: sample.question },
  ]
  const { answer, labels, modality, boxes } = sample
  const imageSizes = images.map(({ width, height }) => ({ width, height }))
  const truth = { answer, labels, modality, boxes, mask, image: imageSizes[0] }
  return { prompt: [{ role: 'user', content }], truth, imageSizes }
}

function visualParts(images: readonly RgbImage[], isVideo: boolean): EvaluationPart[] {
  if (images.length === 0) return []
  return isVideo ? [{ type: 'video', frames: images }] : images.map(image => ({ type: 'image', image }))
}

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

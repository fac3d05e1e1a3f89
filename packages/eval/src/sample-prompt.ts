import type { EcgRecording, RgbImage, Sample } from '@qoq-med/data-climb'
import type { Truth } from '@qoq-med/rewards'

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
  readonly truth: Truth
}

/**
 * Decodes a sample's media and writes its prompt: the pictures or frames, the ECG, then the question. Boxes of the truth
 * and of answers are in pixels of the first picture as it is stored.
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
  const [first] = images
  const size = first && { width: first.width, height: first.height }
  return { prompt: [{ role: 'user', content }], truth: { answer, labels, modality, boxes, mask, image: size } }
}

function visualParts(images: readonly RgbImage[], isVideo: boolean): EvaluationPart[] {
  if (images.length === 0) return []
  return isVideo ? [{ type: 'video', frames: images }] : images.map(image => ({ type: 'image', image }))
}

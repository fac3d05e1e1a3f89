import { locateFindings } from './locate-findings.ts'
import type {
  BoxXyxy,
  EcgRecording,
  Modality,
  PixelMask,
  ReferenceWriter,
  RgbImage,
  Sample,
  SampleView,
} from './sample.ts'

/** A piece of a prompt; structurally what the model package takes. */
export type PromptPart =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'image'; readonly image: RgbImage }
  | { readonly type: 'video'; readonly frames: readonly RgbImage[] }
  | { readonly type: 'ecg'; readonly ecg: EcgRecording }

/** One turn of a prompt; structurally what the model package takes. */
export interface PromptMessage {
  readonly role: 'user'
  readonly content: readonly PromptPart[]
}

/** A width and a height in pixels. */
export interface PictureSize {
  readonly width: number
  readonly height: number
}

/** What an answer to a sample is compared with; structurally what the rewards package takes. */
export interface SampleTruth {
  readonly answer: readonly string[]
  readonly labels: readonly string[]
  readonly aliases?: Readonly<Record<string, readonly string[]>> | undefined
  readonly negativeLabels?: readonly string[] | undefined
  readonly answerMode: 'single' | 'multi'
  readonly modality: readonly Modality[]
  /** In pixels of the pictures as stored. */
  readonly boxes?: readonly BoxXyxy[] | undefined
  /** Of the pictures as stored, one each. */
  readonly mask?: readonly PixelMask[] | undefined
  /** Sizes of the pictures as stored. */
  readonly image?: readonly PictureSize[] | undefined
  /** In pixels of the pictures as stored. */
  readonly views?: readonly SampleView[] | undefined
}

/** A sample with its media decoded: what a policy is shown, and what its answer is compared with. */
export interface PresentedSample {
  readonly prompt: readonly PromptMessage[]
  readonly truth: SampleTruth
  /** The reference response, with the boxes of the masks where the dataset has masks and no boxes. */
  readonly reference: ReferenceWriter
  /** Sizes of the pictures or frames, as stored. */
  readonly pictureSizes: readonly PictureSize[]
  /** What of the sample's files was repaired, changed or not applied, in words, each once. */
  readonly warnings: readonly string[]
}

/**
 * Decodes a sample's media and writes its prompt, in the order of the paper's: the pictures or frames, the ECG, then the
 * question.
 *
 * @throws what the sample's readers throw
 */
export async function presentSample(sample: Sample): Promise<PresentedSample> {
  const [located, images = [], ecg] = await Promise.all([locateFindings(sample), sample.images?.(), sample.ecg?.()])
  const mask = (await sample.masks?.()) ?? (sample.mask && [await sample.mask()])
  const content: PromptPart[] = [
    ...visualParts(images, sample.modality.includes('video')),
    ...(ecg === undefined ? [] : [{ type: 'ecg', ecg } as const]),
    { type: 'text', text: sample.question },
  ]
  const { answer, labels, aliases, negativeLabels, answerMode, modality, boxes, views, reference } = located
  const pictureSizes = images.map(({ width, height }) => ({ width, height }))
  const image = pictureSizes.length > 0 ? pictureSizes : undefined
  const truth = { answer, labels, aliases, negativeLabels, answerMode, modality, boxes, mask, image, views }
  const warnings = [...new Set([...images.flatMap(picture => picture.warnings ?? []), ...(ecg?.warnings ?? [])])]
  return { prompt: [{ role: 'user', content }], truth, reference, pictureSizes, warnings }
}

function visualParts(images: readonly RgbImage[], isVideo: boolean): PromptPart[] {
  if (images.length === 0) return []
  return isVideo ? [{ type: 'video', frames: images }] : images.map(image => ({ type: 'image', image }))
}

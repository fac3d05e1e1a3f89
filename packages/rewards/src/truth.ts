import type { BoxXyxy, ImageSize } from './geometry/box.ts'
import type { ViewLink } from './geometry/view-link.ts'
import { createVocabulary, type LabelNames, type LabelVocabulary } from './parse/label-vocabulary.ts'
import type { Mask } from './geometry/mask.ts'

/** A box of the truth, in the image as the model saw it. */
export interface TruthBox extends BoxXyxy {
  /** 0-based index of the image; undefined means the first. */
  readonly image?: number | undefined
}

/** What is known about a sample: everything a reward may compare a response with. */
export interface Truth extends LabelNames {
  /** The true labels; an empty list means that none applies. */
  readonly answer: readonly string[]
  /** Whether one label applies or several may; several where it is not said. */
  readonly answerMode?: 'single' | 'multi' | undefined
  /** Labels that mean that nothing was found, such as "No Finding": no box can show them. */
  readonly negativeLabels?: readonly string[] | undefined
  /** True boxes in pixels of the image as the model saw it; used where there is no mask. */
  readonly boxes?: readonly TruthBox[] | undefined
  /** Segmentation mask of the first image, or one per image; an empty mask is no spatial truth. */
  readonly mask?: Mask | readonly (Mask | undefined)[] | undefined
  /** Size of the image as the model saw it, or one per image: boxes are clipped to it and scaled to the mask. */
  readonly image?: ImageSize | readonly ImageSize[] | undefined
  /** `ecg` or `text` for a sample without an image; anything else, or nothing, is one with an image. */
  readonly modality?: string | readonly string[] | undefined
  /** How the views of a study map into each other, for the coherence reward. */
  readonly views?: readonly ViewLink[] | undefined
}

const imageless: ReadonlySet<string> = new Set(['ecg', 'ekg', 'text', 'time-series', 'time_series', 'timeseries'])

/** Tells whether a sample has an image: by its modality, or by an image size, a mask or a box of the truth. */
export function hasImage(truth: Truth): boolean {
  if (truth.mask !== undefined || truth.image !== undefined || (truth.boxes?.length ?? 0) > 0) return true
  const modalities = typeof truth.modality === 'string' ? [truth.modality] : (truth.modality ?? [])
  return modalities.length === 0 || modalities.some(modality => !imageless.has(modality.toLowerCase()))
}

const vocabularies = new WeakMap<Truth, LabelVocabulary>()

/** The names a truth's labels go by: its label list, its answer and its aliases. Remembered for the truth object. */
export function truthVocabulary(truth: Truth): LabelVocabulary {
  const known = vocabularies.get(truth)
  if (known !== undefined) return known
  const vocabulary = createVocabulary({
    labels: [...(truth.labels ?? []), ...truth.answer],
    aliases: truth.aliases,
  })
  vocabularies.set(truth, vocabulary)
  return vocabulary
}

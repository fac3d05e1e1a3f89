/** The clinical domains: the g of DRPO's equation 2 and of the evaluation. */
export const domains = [
  'ecg',
  'chest_xray',
  'mammography',
  'dermoscopy',
  'fundus',
  'ct',
  'ultrasound',
  'mri',
  'pathology',
  'multimodal',
] as const

/** One clinical domain. */
export type Domain = (typeof domains)[number]

/** What a sample shows the model. */
export type Modality = 'image' | 'video' | 'ecg' | 'text'

/** The part of a dataset a sample belongs to. */
export type Split = 'train' | 'valid' | 'test'

/** A decoded picture: `data` is [height * width * 3], RGB, row after row. */
export interface RgbImage {
  readonly width: number
  readonly height: number
  readonly data: Uint8Array
  /** What of the file was repaired, changed or not applied, in words; missing when there is nothing to say. */
  readonly warnings?: readonly string[]
}

/** A recording with named leads: one array of millivolts per lead, all of one length. */
export interface EcgRecording {
  readonly leads: readonly string[]
  readonly samplingRateHz: number
  readonly signalMv: readonly Float32Array[]
  /** What was tolerated, left out or computed, in words without patient data. */
  readonly warnings?: readonly string[]
}

/** A box in pixels of the original picture; x2 and y2 lie outside it. */
export interface BoxXyxy {
  /** The picture, slice or frame it lies in, from 0; the first where it is missing. */
  readonly image?: number
  readonly x1: number
  readonly y1: number
  readonly x2: number
  readonly y2: number
}

/** How a picture was scaled: pixels as seen for one pixel as stored. */
export interface PictureScale {
  readonly x: number
  readonly y: number
}

/**
 * Writes a sample's reference response.
 *
 * @param scales of the pictures from how they are stored to how they are seen, by index; boxes are as stored where there is none
 */
export type ReferenceWriter = (scales?: readonly PictureScale[]) => string

/** A pixel mask: `data` is [height * width], 1 inside the finding, row after row. */
export interface PixelMask {
  readonly width: number
  readonly height: number
  readonly data: Uint8Array
}

/** How boxes of one picture map into another: x' = a x + b y + c, y' = d x + e y + f, in pixels as stored. */
export interface SampleView {
  /** Index of the picture that is mapped into. */
  readonly image: number
  /** Index of the picture whose boxes are mapped. */
  readonly from: number
  readonly transform: readonly [a: number, b: number, c: number, d: number, e: number, f: number]
}

/** One question with its truth and its media, which are decoded when asked for. */
export interface Sample {
  /** `<dataset>/<key>`, unique and stable. */
  readonly id: string
  readonly dataset: string
  readonly domain: Domain
  readonly patientId: string
  readonly modality: readonly Modality[]
  readonly split: Split
  /** The prompt: task, modality cue, label list and answer form (ψ of C.1). */
  readonly question: string
  /** The allowed labels, in the dataset's order. */
  readonly labels: readonly string[]
  /** Other names by label that an answer may use. */
  readonly aliases?: Readonly<Record<string, readonly string[]>>
  /** Labels that mean that nothing was found. */
  readonly negativeLabels?: readonly string[]
  /** The true labels, in the order of `labels`. */
  readonly answer: readonly string[]
  readonly answerMode: 'single' | 'multi'
  /** Absolute paths of the files it was made from. */
  readonly files: readonly string[]
  /** Decodes the pictures, or the frames of a video or slices of a volume. */
  readonly images?: () => Promise<readonly RgbImage[]>
  readonly ecg?: () => Promise<EcgRecording>
  /** The record that the question is asked about; it stands at the head of `question`. */
  readonly text?: string
  /** Group of the patient, such as `M,A3` (see `demographicLabel`): for comparing groups, never part of a prompt. */
  readonly demographics?: string
  readonly boxes?: readonly BoxXyxy[]
  /** Decodes the mask of all findings in the first picture. */
  readonly mask?: () => Promise<PixelMask>
  /** Decodes the masks of all pictures, slices or frames that have one, in their order; the first is that of `mask`. */
  readonly masks?: () => Promise<readonly PixelMask[]>
  /** How boxes of one picture map into another, in pixels as stored (eq. 7). */
  readonly views?: readonly SampleView[]
  /** Draws boxes around the masks, where the dataset has masks and no boxes; see `locateFindings`. */
  readonly locate?: () => Promise<{ readonly boxes: readonly BoxXyxy[]; readonly reference: ReferenceWriter }>
  /** Writes a reference response for the SFT warm start from the truth alone, with boxes in pixels of the pictures as seen. */
  readonly reference: ReferenceWriter
}

/** A dataset that can be asked about. */
export interface DatasetRow {
  readonly id: string
  readonly title: string
  readonly domain: string
  readonly labels: readonly string[]
}

/** A simulated patient. */
export interface ExampleRow {
  readonly id: string
  readonly title: string
  readonly domain: string
  readonly dataset: string
  readonly labels: readonly string[]
  readonly files: readonly string[]
}

/** A picture as the model is shown it. */
export interface ViewPicture {
  readonly file: number
  readonly kind: string
  readonly position: number
  readonly length: number
  readonly width: number
  readonly height: number
  readonly channels: 1 | 3
  /** Base64 of a byte per channel of every pixel. */
  readonly pixels: string
}

/** An ECG as it is drawn. */
export interface ViewEcg {
  readonly leads: readonly string[]
  readonly fs: number
  /** Base64 of 32-bit floats, little-endian, in millivolts. */
  readonly samples_mv: readonly string[]
}

/** What POST /v1/view answers. */
export interface ViewDocument {
  readonly groups: readonly { readonly type: 'image' | 'video'; readonly pictures: readonly ViewPicture[] }[]
  readonly ecgs: readonly ViewEcg[]
  readonly window: { readonly center: number; readonly width: number } | null
  readonly warnings: readonly string[]
}

/** A box of an answer, in pixels of its picture. */
export interface AnswerBox {
  readonly picture: number
  readonly label: string | null
  readonly bbox_2d: readonly [number, number, number, number]
}

/** What POST /v1/diagnose answers. */
export interface DiagnosisDocument {
  readonly id: string
  readonly model: string
  readonly labels: readonly string[]
  readonly answer: string | null
  readonly probabilities?: Readonly<Record<string, number>>
  readonly reasoning: string | null
  readonly boxes: readonly AnswerBox[]
  readonly pictures: readonly { readonly file: number; readonly position: number; readonly length: number }[]
  readonly candidates: readonly string[]
  readonly warnings: readonly string[]
  readonly seed: number
  readonly timing_ms: { readonly decode: number; readonly generate: number; readonly score: number }
  readonly notice: string
  readonly documents?: { readonly fhir?: object; readonly dicom_sr?: string | null }
}

/** An event of a streamed diagnosis. */
export type DiagnosisEvent =
  | { readonly type: 'text'; readonly text: string }
  | (DiagnosisDocument & { readonly type: 'result' })

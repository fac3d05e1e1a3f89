import type { EcgRecording, RgbImage } from '@qoq-med/encoders'

/** A piece of a message: text, a picture, the frames of a clip or slices of a volume, or an ECG recording. */
export type ContentPart =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'image'; readonly image: RgbImage }
  | { readonly type: 'video'; readonly frames: readonly RgbImage[] }
  | { readonly type: 'ecg'; readonly ecg: EcgRecording }

/** One turn of a conversation. Pieces appear to the model in their order. */
export interface Message {
  readonly role: 'system' | 'user' | 'assistant'
  readonly content: string | readonly ContentPart[]
}

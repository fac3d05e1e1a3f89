import type { DicomReference, EcgRecording, FileKind, RgbImage, WindowChoice } from '@qoq-med/data-climb'

/** A file of a request, in memory. */
export interface MediaFile {
  /** Where it stands in the request, for errors and warnings. */
  readonly place: string
  /** As the client says; decides between formats that their content does not tell, and is told to nobody. */
  readonly name: string
  readonly bytes: Uint8Array
}

/** A file as a request has it: its bytes, or text whose bytes are taken out where the file is decoded. */
export type SentFile =
  | MediaFile
  | {
      readonly place: string
      readonly name: string
      /** A data URL, or the UTF-8 of it, which goes to another thread without being copied. */
      readonly url: string | Uint8Array
      /** Whether it is the base64 of one alone. */
      readonly isBase64?: boolean
      /** Where the URL stands, where that is not the place. */
      readonly field?: string
      /** Refuses what is no picture of a common format. */
      readonly isPicture?: boolean
    }

/** How files are decoded. */
export interface DecodeMediaOptions {
  readonly window?: WindowChoice | undefined
  /** Pixels that all pictures together may have. */
  readonly maxPixels: number
  /** Frames or slices to take of a file, 4 where it is missing. */
  readonly frames?: number
}

/** Decodes the files of a request. */
export type DecodeMedia = (files: readonly SentFile[], options: DecodeMediaOptions) => Promise<DecodedMedia>

/** A picture that the model is shown, and where it comes from. */
export interface DecodedPicture {
  readonly image: RgbImage
  /** Index of its file in the request. */
  readonly file: number
  readonly kind: FileKind
  /** Which frame or slice it is, from 0, and how many its file, or its series, has. */
  readonly position: number
  readonly length: number
  /** Which frame of its DICOM instance it is, from 1, where that has several. */
  readonly frame?: number
  /** What a report names of a DICOM instance: patient data. Missing where the file does not say it. */
  readonly reference?: DicomReference
}

/** Pictures that are one picture, or frames and slices that belong together. */
export interface PictureGroup {
  readonly type: 'image' | 'video'
  readonly pictures: readonly DecodedPicture[]
}

/** What the files of a request show. */
export interface DecodedMedia {
  readonly groups: readonly PictureGroup[]
  readonly ecgs: readonly EcgRecording[]
  /** What was repaired, changed, not applied or left out, in words; no name or value of a file. */
  readonly warnings: readonly string[]
}

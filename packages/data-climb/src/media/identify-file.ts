import { isBmp } from './bmp.ts'
import { isDicom } from '../dicom/dicom-file.ts'
import { ecgFormatOf } from '../ecg-files/ecg-format.ts'
import { isMetaImage } from '../volume/meta-image.ts'
import { isNifti } from '../volume/nifti.ts'

/** How a kind of file is recognized. */
interface FileKindRow {
  /** Tells it by the first `identifyingBytes`; absent where they do not say it. */
  readonly isStart?: (bytes: Uint8Array) => boolean
  /** Of names; counts only where no kind knows the bytes. */
  readonly suffix?: RegExp
}

/** Everything that is read here, in the order in which the bytes are asked. */
const fileKinds = {
  dicom: { isStart: isDicom, suffix: /\.(dcm|dicom)$/i },
  nifti: { isStart: isNifti, suffix: /\.nii(\.gz)?$/i },
  picture: { isStart: isPicture, suffix: /\.(png|jpe?g|gif|tiff?|webp|bmp)$/i },
  video: { isStart: isVideo, suffix: /\.(mp4|avi|mov|mpe?g|wmv|mkv|webm|m4v|flv|ts)$/i },
  metaimage: { isStart: isMetaImage, suffix: /\.(mhd|mha)$/i },
  ecg: { isStart: bytes => ecgFormatOf(bytes) !== undefined },
  wfdb: { suffix: /\.(hea|dat)$/i },
  mat: { suffix: /\.mat$/i },
} as const satisfies Readonly<Record<string, FileKindRow>>

/** What a file is read as. */
export type FileKind = keyof typeof fileKinds

/** Bytes of the start of a file that suffice to tell what it is. */
export const identifyingBytes = 8192

/**
 * Tells what a file is by its content; its name only decides between formats whose content does not say it (WFDB and MATLAB 4
 * files, videos of rare containers, damaged files). One function for training, evaluation, the command line and the server.
 *
 * @param start the first `identifyingBytes` of the file, or all of it
 * @returns undefined for what is read by nothing here
 */
export function identifyFile(start: Uint8Array, name = ''): FileKind | undefined {
  const rows = Object.entries<FileKindRow>(fileKinds)
  const found = rows.find(([, { isStart }]) => isStart?.(start)) ?? rows.find(([, { suffix }]) => suffix?.test(name))
  return found?.[0] as FileKind | undefined // the name of a row
}

/** First bytes of pictures; a RIFF file is one when it says WEBP. */
const pictureSignatures: readonly (readonly number[])[] = [
  [0x89, 0x50, 0x4e, 0x47],
  [0xff, 0xd8, 0xff],
  [0x47, 0x49, 0x46, 0x38],
  [0x49, 0x49, 0x2a, 0x00],
  [0x4d, 0x4d, 0x00, 0x2a],
]

/** Tells whether bytes start like a picture that `decodeImage` may read. */
export function isPicture(bytes: Uint8Array): boolean {
  return (
    isBmp(bytes) ||
    (textAt(bytes, 0, 4) === 'RIFF' && textAt(bytes, 8, 4) === 'WEBP') ||
    pictureSignatures.some(signature => startsWith(bytes, signature))
  )
}

/** First bytes of videos: Matroska and WebM, MPEG program and elementary streams, Windows Media, Flash. */
const videoSignatures: readonly (readonly number[])[] = [
  [0x1a, 0x45, 0xdf, 0xa3],
  [0x00, 0x00, 0x01, 0xba],
  [0x00, 0x00, 0x01, 0xb3],
  [0x30, 0x26, 0xb2, 0x75],
  [0x46, 0x4c, 0x56, 0x01],
]
/** Names of the first box of an MP4 or QuickTime file. */
const boxes = new Set(['ftyp', 'moov', 'mdat', 'wide', 'free', 'skip', 'pnot'])

function isVideo(bytes: Uint8Array): boolean {
  return (
    boxes.has(textAt(bytes, 4, 4)) ||
    (textAt(bytes, 0, 4) === 'RIFF' && textAt(bytes, 8, 4) === 'AVI ') ||
    videoSignatures.some(signature => startsWith(bytes, signature)) ||
    (bytes[0] === 0x47 && bytes[188] === 0x47 && bytes[376] === 0x47)
  )
}

function startsWith(bytes: Uint8Array, signature: readonly number[]): boolean {
  return signature.every((byte, i) => bytes[i] === byte)
}

function textAt(bytes: Uint8Array, at: number, length: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + length))
}

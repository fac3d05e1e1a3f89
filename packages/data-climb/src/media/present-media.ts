import { isHintedError } from '@qoq-med/errors'
import path from 'node:path'
import { decodeDicom } from '../dicom/dicom-image.ts'
import { dicomPictures } from '../dicom/dicom-display.ts'
import { dataErrors } from '../errors.ts'
import { identifyFile, identifyingBytes, type FileKind } from './identify-file.ts'
import { decodeImage, maxImagePixels } from './image.ts'
import { readInputFile } from '../files/input-file.ts'
import type { PromptPart } from '../sample/present-sample.ts'
import { presentSeries } from './present-series.ts'
import { presentVolume } from './present-volume.ts'
import { isFolder } from './dicom-series.ts'
import type { RgbImage } from '../sample/sample.ts'
import { animationFrames, isAnimation } from './animation.ts'
import { takeVideoFrames } from './video-decoder.ts'
import type { WindowChoice } from '../volume/intensity-window.ts'
import { framesPerVolume, interiorPositions, type AroundPoint } from '../volume/slices.ts'
import { decodeVolume } from '../volume/volume-file.ts'

/** How media are shown to a model. */
export interface PresentMediaOptions {
  /** Which values of a scan are seen; `file` where it is missing: what the file says, else what its values call for. */
  readonly window?: WindowChoice | undefined
  /** Slices of a volume or frames of a video, 4 where it is missing (D.1). */
  readonly frames?: number | undefined
  /** Slices around a point instead of over the whole volume. */
  readonly around?: AroundPoint | undefined
  /** Pixels that a picture file may claim. */
  readonly maxPixels?: number | undefined
}

/** A file that is in memory, such as a part of a request. */
export interface MediaBytes {
  readonly bytes: Uint8Array
  /** A name for errors, and for formats that only a name tells. */
  readonly name: string
}

/** What a model sees of a file. */
export interface PresentedMedia {
  /** One picture, or the frames of a video or volume, which belong together. */
  readonly type: 'image' | 'video'
  readonly kind: FileKind
  readonly pictures: readonly RgbImage[]
  /** Which slice or frame each picture is, from 0, and how many the file has. */
  readonly positions: readonly number[]
  readonly length: number
  /** What was repaired, changed or not applied, in words; never a value or name of the file. */
  readonly warnings: readonly string[]
}

/**
 * Turns a file into what the model sees of it. Training, evaluation, the command line and the server all go through here, so
 * that a file looks the same everywhere: pictures turned by EXIF, transparent parts on white, deep grey reduced; DICOM by its
 * own tables and windows; volumes as axial slices, videos and DICOM files of many frames as frames, and a folder as the DICOM
 * series in it.
 *
 * @param source a path, or bytes with a name; videos in containers need a path
 * @throws DATA_INPUT_MISSING, DATA_INPUT_IRREGULAR, DATA_FORMAT_UNKNOWN, DATA_SERIES_INVALID, and the readers' own errors
 */
export async function presentMedia(
  source: string | MediaBytes,
  options: PresentMediaOptions = {},
): Promise<PresentedMedia> {
  if (typeof source === 'string' && (await isFolder(source))) return presentedSeries(source, options)
  const name = typeof source === 'string' ? source : source.name
  const start = typeof source === 'string' ? await readInputFile(source, { first: identifyingBytes }) : source.bytes
  const kind = identifyFile(start, name)
  const shown = { path: typeof source === 'string' ? source : undefined, name, options }
  const present = kind && presenters[kind]
  if (!present) throw dataErrors.FORMAT_UNKNOWN({ file: path.basename(name) })
  const isWholeFileNeeded = kind !== 'video' && typeof source === 'string'
  const bytes = isWholeFileNeeded ? await readInputFile(source) : start
  try {
    const { pictures, ...rest } = await present(bytes, shown)
    const warnings = [...new Set(pictures.flatMap(picture => picture.warnings ?? []))]
    return { ...rest, kind, pictures, warnings }
  } catch (cause) {
    if (isHintedError(cause)) throw cause
    throw dataErrors.IMAGE_UNREADABLE({ problem: 'its reader failed' }, { cause })
  }
}

/** A folder is the series whose slices lie in it. */
async function presentedSeries(folder: string, options: PresentMediaOptions): Promise<PresentedMedia> {
  const { pictures, ...rest } = await presentSeries(folder, options)
  const warnings = [...new Set(pictures.flatMap(picture => picture.warnings ?? []))]
  return { ...rest, kind: 'dicom', pictures, warnings }
}

/** Presented media as pieces of a prompt. */
export function mediaParts({ type, pictures }: Pick<PresentedMedia, 'type' | 'pictures'>): PromptPart[] {
  return type === 'video' ? [{ type, frames: pictures }] : pictures.map(image => ({ type, image }))
}

type Presented = Omit<PresentedMedia, 'kind' | 'warnings'>

interface Shown {
  readonly path: string | undefined
  readonly name: string
  readonly options: PresentMediaOptions
}

type Presenter = (bytes: Uint8Array, shown: Shown) => Promise<Presented>

/** One presenter per kind of picture; recordings have none. */
const presenters: Readonly<Partial<Record<FileKind, Presenter>>> = {
  dicom: presentDicom,
  nifti: presentVolumeFile,
  metaimage: presentVolumeFile,
  picture: presentPicture,
  video: presentVideo,
}

async function presentDicom(
  bytes: Uint8Array,
  { options: { window, frames = framesPerVolume } }: Shown,
): Promise<Presented> {
  const choose = (length: number) => interiorPositions(length, Math.min(length, frames))
  const image = await decodeDicom(bytes, { choose })
  const { positions, length } = image
  return {
    type: length > 1 ? 'video' : 'image',
    pictures: dicomPictures(image, { window, count: length }),
    positions,
    length,
  }
}

async function presentVolumeFile(bytes: Uint8Array, { path: file, options }: Shown): Promise<Presented> {
  return presentVolume(await decodeVolume(bytes, file), options)
}

async function presentPicture(
  bytes: Uint8Array,
  { options: { frames = framesPerVolume, maxPixels = maxImagePixels } }: Shown,
): Promise<Presented> {
  if (!isAnimation(bytes)) {
    const picture = await decodeImage(bytes, { maxPixels, levels: 'display' })
    return { type: 'image', pictures: [picture], positions: [0], length: 1 }
  }
  const { pictures, positions, length } = await animationFrames(bytes, { count: frames, maxPixels })
  return { type: length > 1 ? 'video' : 'image', pictures, positions, length }
}

async function presentVideo(
  _bytes: Uint8Array,
  { path: file, name, options: { frames = framesPerVolume } }: Shown,
): Promise<Presented> {
  const shortName = path.basename(name)
  if (file === undefined)
    throw dataErrors.VIDEO_INVALID({ file: shortName, problem: 'videos are read from files only' })
  return { type: 'video', ...(await takeVideoFrames(file, { name: shortName, count: frames })) }
}

import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { isDicom } from './dicom/dicom-file.ts'
import { inspectDicom } from './dicom/inspect-dicom.ts'
import { dataErrors } from './errors.ts'
import { inspectImage, isPicture } from './inspect-image.ts'
import { inspectMat, inspectWfdb } from './inspect-ecg.ts'
import { inspectVideo } from './inspect-video.ts'
import { inspectVolume } from './volume/inspect-volume.ts'

/** What a file holds, in the form of `qoq data inspect --json`. Numbers describe the array as stored, before calibration. */
export interface FileReport {
  readonly format: string
  /** Slowest axis first: WFDB [samples, leads], MATLAB [rows, columns], pictures [height, width, 3], videos [frames, height, width, 3]. */
  readonly shape: readonly number[]
  readonly dtype: string
  readonly channels?: readonly string[]
  /** Samples per second and channel. */
  readonly fs?: number
  readonly units?: readonly string[]
  /** Millimetres per voxel, in the order of the format's own axes. */
  readonly spacing?: readonly number[]
  /** Of the little-endian bytes of the array as stored. */
  readonly sha256: string
  /** Of the array as float64 after calibration, in the same order. */
  readonly sha256Physical?: string
  readonly first: readonly number[]
  readonly min: number
  readonly max: number
  readonly mean: number
  readonly warnings: readonly string[]
}

type Inspector = (file: string) => Promise<FileReport>

/** Formats told by their suffix; pictures are told by their first bytes. */
const inspectorBySuffix: Readonly<Record<string, Inspector>> = {
  '.hea': inspectWfdb,
  '.dat': inspectWfdb,
  '.mat': inspectMat,
  '.dcm': inspectDicom,
  '.dicom': inspectDicom,
  '.nii': inspectVolume,
  '.nii.gz': inspectVolume,
  '.mhd': inspectVolume,
  '.mha': inspectVolume,
  ...Object.fromEntries(
    ['mp4', 'avi', 'mov', 'mpeg', 'mpg', 'wmv', 'mkv', 'webm'].map(suffix => [`.${suffix}`, inspectVideo]),
  ),
}

/**
 * Reads a file and says what it holds. A `.dat` file is read through the header beside it.
 *
 * @throws DATA_INPUT_MISSING when the file is not there, DATA_FORMAT_UNKNOWN when nothing here reads it, and the reader's own errors
 */
export async function inspectFile(file: string): Promise<FileReport> {
  const inspector = inspectorBySuffix[suffixOf(file)]
  const bytes = await load(file)
  if (isDicom(bytes)) return inspectDicom(file)
  if (inspector) return inspector(file)
  if (isPicture(bytes)) return inspectImage(bytes, file)
  throw dataErrors.FORMAT_UNKNOWN({ file: path.basename(file) })
}

/** The suffix in lower case; `.nii.gz` counts as one. */
function suffixOf(file: string): string {
  const name = file.toLowerCase()
  return name.endsWith('.nii.gz') ? '.nii.gz' : path.extname(name)
}

async function load(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file)
  } catch (cause) {
    throw dataErrors.INPUT_MISSING({ file }, { cause })
  }
}

import path from 'node:path'
import { inspectDicom } from './dicom/inspect-dicom.ts'
import { dataErrors } from './errors.ts'
import { identifyFile, identifyingBytes, type FileKind } from './identify-file.ts'
import { readInputFile } from './input-file.ts'
import { inspectImage } from './inspect-image.ts'
import { parseDicomFile } from './dicom/dicom-file.ts'
import { hasWaveforms } from './ecg-files/dicom-ecg.ts'
import { inspectEcg, inspectMat, inspectWfdb } from './inspect-ecg.ts'
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

type Inspector = (bytes: Uint8Array, file: string) => Promise<FileReport>

const inspectors: Readonly<Record<FileKind, Inspector>> = {
  wfdb: (_bytes, file) => inspectWfdb(file),
  mat: (_bytes, file) => inspectMat(file),
  dicom: (bytes, file) => (hasWaveforms(parseDicomFile(bytes)) ? inspectEcg(bytes, file) : inspectDicom(bytes)),
  ecg: inspectEcg,
  nifti: inspectVolume,
  metaimage: inspectVolume,
  picture: inspectImage,
  video: (_bytes, file) => inspectVideo(file),
}

/** Kinds whose readers open the file by themselves, a part at a time or with others beside it. */
const readElsewhere: ReadonlySet<FileKind> = new Set(['wfdb', 'mat', 'video'])

/**
 * Reads a file and says what it holds. A `.dat` file is read through the header beside it.
 *
 * @throws DATA_INPUT_MISSING when the file is not there, DATA_FORMAT_UNKNOWN when nothing here reads it, and the reader's own errors
 */
export async function inspectFile(file: string): Promise<FileReport> {
  const kind = identifyFile(await readInputFile(file, { first: identifyingBytes }), file)
  if (kind === undefined) throw dataErrors.FORMAT_UNKNOWN({ file: path.basename(file) })
  const bytes = readElsewhere.has(kind) ? new Uint8Array() : await readInputFile(file)
  return inspectors[kind](bytes, file)
}

import path from 'node:path'
import { inspectDicom } from './inspect-dicom.ts'
import { dataErrors } from '../errors.ts'
import { identifyFile, identifyingBytes, type FileKind } from '../media/identify-file.ts'
import { readInputFile } from '../files/input-file.ts'
import type { FileReport } from './file-report.ts'
import { inspectImage } from './inspect-image.ts'
import { parseDicomFile } from '../dicom/dicom-file.ts'
import { hasWaveforms } from '../ecg-files/dicom-ecg.ts'
import { inspectEcg, inspectMat, inspectWfdb } from './inspect-ecg.ts'
import { inspectSeries } from './inspect-series.ts'
import { inspectVideo } from './inspect-video.ts'
import { inspectVolume } from './inspect-volume.ts'
import { isFolder } from '../media/dicom-series.ts'

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
 * Reads a file and says what it holds. A `.dat` file is read through the header beside it; a folder is the DICOM series in it.
 *
 * @throws DATA_INPUT_MISSING when the file is not there, DATA_FORMAT_UNKNOWN when nothing here reads it, DATA_SERIES_INVALID, and the reader's own errors
 */
export async function inspectFile(file: string): Promise<FileReport> {
  if (await isFolder(file)) return inspectSeries(file)
  const kind = identifyFile(await readInputFile(file, { first: identifyingBytes }), file)
  if (kind === undefined) throw dataErrors.FORMAT_UNKNOWN({ file: path.basename(file) })
  const bytes = readElsewhere.has(kind) ? new Uint8Array() : await readInputFile(file)
  return inspectors[kind](bytes, file)
}

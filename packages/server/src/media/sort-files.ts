import { dicomReference, identifyFile, type DicomReference, type FileKind } from '@qoq-med/data-climb'
import { isHintedError } from '@qoq-med/errors'
import { stemOf } from './at-file.ts'
import type { MediaFile } from './decoded-media.ts'

/** A file that is shown as pictures, with its place in the request. */
export interface PlacedFile {
  readonly at: number
  readonly file: MediaFile
  readonly reference: DicomReference | undefined
}

/** Files of a request by what they belong to. */
export interface SortedFiles {
  /** ECGs: one file each, or a WFDB header with its signal files. */
  readonly records: readonly (readonly MediaFile[])[]
  /** Pictures: one file each, or the slices of a DICOM series in their order. */
  readonly series: readonly (readonly PlacedFile[])[]
}

/** Joins what belongs together. */
export function sortFiles(files: readonly MediaFile[]): SortedFiles {
  const records = new Map<string, MediaFile[]>()
  for (const file of files) if (isHeader(file)) records.set(stemOf(file.name), [file])
  const pictures: PlacedFile[] = []
  for (const [at, file] of files.entries()) {
    if (isHeader(file)) continue
    const kind = identifyFile(file.bytes, file.name)
    const record = records.get(stemOf(file.name))
    if (record && (isSignal(kind) || kind === undefined)) record.push(file)
    else if (kind === 'ecg' || isSignal(kind)) records.set(`file ${at}`, [file])
    else pictures.push({ at, file, reference: kind === 'dicom' ? readReference(file.bytes) : undefined })
  }
  return { records: [...records.values()], series: seriesOf(pictures) }
}

function isHeader({ name }: MediaFile): boolean {
  return /\.hea$/i.test(name)
}

function isSignal(kind: FileKind | undefined): boolean {
  return kind === 'wfdb' || kind === 'mat'
}

/** Nothing where a file lacks identifiers: it can be looked at all the same. */
function readReference(bytes: Uint8Array): DicomReference | undefined {
  try {
    return dicomReference(bytes)
  } catch (thrown) {
    if (isHintedError(thrown)) return undefined
    throw thrown
  }
}

/**
 * Joins the slices of one series, in the order of their places in the patient. Instances without a place, such as the views of
 * a mammogram, stand alone, and so do other files.
 */
function seriesOf(files: readonly PlacedFile[]): PlacedFile[][] {
  const series = new Map<string, PlacedFile[]>()
  for (const file of files) {
    const { reference } = file
    const isSlice = reference?.placeMm !== undefined
    const key = isSlice ? `series ${reference.seriesInstanceUid}` : `file ${file.at}`
    series.set(key, [...(series.get(key) ?? []), file])
  }
  return [...series.values()].map(one => one.toSorted((a, b) => placeOf(a) - placeOf(b)))
}

function placeOf({ reference }: PlacedFile): number {
  return reference?.placeMm ?? 0
}

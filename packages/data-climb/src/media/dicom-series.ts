import { stat } from 'node:fs/promises'
import path from 'node:path'
import { decodeDicom, type DicomImage } from '../dicom/dicom-image.ts'
import { isDicom, parseDicomFile, type DicomFile } from '../dicom/dicom-file.ts'
import { elementOf, textValue, unsignedValue, wholeValue } from '../dicom/dicom-values.ts'
import { along, isParallel, patientPlane, upward, type PatientPlane } from '../dicom/patient-plane.ts'
import { dataErrors } from '../errors.ts'
import { visibleEntries } from '../files/folder-entries.ts'
import { readInputFile } from '../files/input-file.ts'
import { identifyingBytes } from './identify-file.ts'

/** Files that a series has at most; scans of the whole body have some 3,000. */
const maxFiles = 20_000

/** A slice of a series. */
export interface SeriesSlice {
  readonly file: string
  readonly rows: number
  readonly columns: number
  readonly instance: number
  readonly plane: PatientPlane | undefined
}

/** The slices of a scan whose files lie in one folder, from the feet to the head, the left to the right or the back to the front. */
export interface DicomSeries {
  readonly slices: readonly SeriesSlice[]
  /** Millimetres between neighbouring slices, the median; undefined where they do not say where they lie. */
  readonly stepMm: number | undefined
  readonly warnings: readonly string[]
}

/** Tells whether a path is a folder. */
export async function isFolder(place: string): Promise<boolean> {
  return (await stat(place).catch(() => undefined))?.isDirectory() === true
}

/**
 * Finds the slices of the one series in a folder, told by content, and orders them as they lie in the patient: by their positions
 * along the normal, else by their numbers. Pictures of another size or direction, such as the localizer, are left out, and said.
 *
 * @throws DATA_SERIES_INVALID where there is none, there are several, or a file cannot be a slice
 */
export async function openSeries(folder: string): Promise<DicomSeries> {
  const { files } = await visibleEntries(folder)
  if (files.length > maxFiles) throw dataErrors.SERIES_INVALID({ problem: `it has more than ${maxFiles} files` })
  const bySeries = new Map<string, SeriesSlice[]>()
  for (const name of files.toSorted()) {
    const file = path.join(folder, name)
    if (!isDicom(await readInputFile(file, { first: identifyingBytes }))) continue
    const parsed = parseDicomFile(await readInputFile(file))
    if (elementOf(parsed.dataSet, 'x7fe00010') === undefined) continue // a directory, a report, a plan
    const series = textValue(parsed.dataSet, 'x0020000e') ?? ''
    bySeries.set(series, [...(bySeries.get(series) ?? []), sliceOf(file, parsed)])
  }
  const [slices, ...others] = [...bySeries.values()]
  if (!slices) throw dataErrors.SERIES_INVALID({ problem: 'it holds no DICOM picture' })
  if (others.length > 0) throw dataErrors.SERIES_INVALID({ problem: `it holds ${others.length + 1} series` })
  return inOrder(slices)
}

function sliceOf(file: string, { dataSet }: DicomFile): SeriesSlice {
  if ((wholeValue(dataSet, 'x00280008') ?? 1) > 1)
    throw dataErrors.SERIES_INVALID({ problem: 'one of its files holds several frames and is a series by itself' })
  return {
    file,
    rows: unsignedValue(dataSet, 'x00280010') ?? 0,
    columns: unsignedValue(dataSet, 'x00280011') ?? 0,
    instance: wholeValue(dataSet, 'x00200013') ?? 0,
    plane: patientPlane(dataSet),
  }
}

function inOrder(all: readonly SeriesSlice[]): DicomSeries {
  const slices = mostAlike(all)
  const leftOut = all.length - slices.length
  const warnings =
    leftOut > 0 ? [`${leftOut} of ${all.length} pictures have another size or direction and were left out`] : []
  const [first] = slices
  const direction = first?.plane && upward(first.plane)
  const places = slices.map(({ plane }) => plane && direction && along(plane, direction))
  if (!places.every(place => place !== undefined))
    return {
      slices: slices.toSorted((a, b) => a.instance - b.instance),
      stepMm: undefined,
      warnings: [...warnings, 'slices do not say where they lie, and are ordered by their numbers'],
    }
  const placed = slices.map((slice, i) => ({ slice, place: places[i]! })) // one a slice
  placed.sort((a, b) => a.place - b.place || a.slice.instance - b.slice.instance)
  const steps = placed.slice(1).map(({ place }, i) => place - placed[i]!.place) // one less than there are
  const stepMm = median(steps)
  return { slices: placed.map(({ slice }) => slice), stepMm, warnings: [...warnings, ...stepWarnings(steps, stepMm)] }
}

/** A tenth of a step is what scanners and rounding leave. */
function stepWarnings(steps: readonly number[], stepMm: number | undefined): string[] {
  const same = steps.filter(step => step < 1e-3).length
  const uneven = steps.filter(step => step >= 1e-3 && Math.abs(step - (stepMm ?? 0)) > 0.1 * (stepMm ?? 0)).length
  return [
    ...(same > 0 ? [`${same} slices lie where another one lies`] : []),
    ...(uneven > 0
      ? [`${uneven} of ${steps.length} steps between slices differ from the others: slices may be missing`]
      : []),
  ]
}

/** The largest set of slices of one size and direction. */
function mostAlike(all: readonly SeriesSlice[]): readonly SeriesSlice[] {
  const sets: SeriesSlice[][] = []
  for (const slice of all) {
    const set = sets.find(([first]) => first && isAlike(first, slice))
    if (set) set.push(slice)
    else sets.push([slice])
  }
  return sets.toSorted((a, b) => b.length - a.length)[0] ?? []
}

function isAlike(a: SeriesSlice, b: SeriesSlice): boolean {
  if (a.rows !== b.rows || a.columns !== b.columns) return false
  return a.plane && b.plane ? isParallel(a.plane, b.plane) : a.plane === b.plane
}

function median(values: readonly number[]): number | undefined {
  return values.toSorted((a, b) => a - b)[values.length >> 1]
}

/** Decodes a slice. */
export async function decodeSlice({ file }: SeriesSlice): Promise<DicomImage> {
  return decodeDicom(await readInputFile(file))
}

import type { DatasetFolder } from '../dataset/dataset-folder.ts'
import { AdmissionWindows, tableFile, timeMs, type Admission } from './mimic-iv-admissions.ts'

/** Pictures and recording of an admission, or why it has none. */
export interface AttachedMedia {
  readonly images?: readonly string[]
  /** Header of the ECG record. */
  readonly ecg?: string
  readonly excluded?: string
}

/** A model takes four pictures per prompt. */
const maxPictures = 4
const xrayBases = ['chest_xray/mimic-cxr', 'mimic-cxr', 'mimic-cxr-jpg']
const ecgBases = ['ecg/mimiciv', 'mimic-iv-ecg']

/**
 * Finds the first chest X-ray study and the first ECG in the window of each admission. A module that is not there at all
 * is not asked for; where it is, an admission without its media is excluded.
 *
 * @returns by `hadmId`
 * @throws DATA_INDEX_INVALID when a table lacks a column
 */
export async function attachedMedia(
  folder: DatasetFolder,
  admissions: readonly Admission[],
): Promise<Map<string, AttachedMedia>> {
  const windows = new AdmissionWindows(admissions)
  const [xrays, ecgs] = [await firstStudies(folder, windows), await firstEcgs(folder, windows)]
  return new Map(
    admissions.map(({ hadmId }) => {
      const [images, ecg] = [xrays?.get(hadmId)?.files.toSorted().slice(0, maxPictures), ecgs?.get(hadmId)?.file]
      const excluded =
        xrays && images === undefined
          ? 'no chest X-ray in the first 48 hours'
          : ecgs && ecg === undefined
            ? 'no ECG in the first 48 hours'
            : undefined
      return [
        hadmId,
        { ...(images && { images }), ...(ecg !== undefined && { ecg }), ...(excluded !== undefined && { excluded }) },
      ]
    }),
  )
}

/** The tables that media are found by, those that are there. */
export async function mediaTables(folder: DatasetFolder): Promise<string[]> {
  const found = [await metadataFile(folder), await recordList(folder)]
  return found.flatMap(one => (one === undefined ? [] : [one.file]))
}

interface Study {
  readonly id: string
  readonly atMs: number
  readonly files: string[]
}

async function firstStudies(folder: DatasetFolder, windows: AdmissionWindows): Promise<Map<string, Study> | undefined> {
  const found = await metadataFile(folder)
  if (found === undefined) return undefined
  const studies = new Map<string, Study>()
  const columns = ['dicom_id', 'subject_id', 'study_id', 'StudyDate', 'StudyTime']
  for await (const { cells } of folder.streamCsv(found.file, columns)) {
    const [subject, id] = [cells['subject_id'] ?? '', cells['study_id'] ?? '']
    const atMs = studyTimeMs(cells['StudyDate'] ?? '', cells['StudyTime'] ?? '')
    const file = `${found.base}/files/p${subject.slice(0, 2)}/p${subject}/s${id}/${cells['dicom_id']}.jpg`
    for (const { hadmId } of windows.at(subject, atMs)) {
      const known = studies.get(hadmId)
      if (known?.id === id) known.files.push(file)
      else if (known === undefined || atMs < known.atMs) studies.set(hadmId, { id, atMs, files: [file] })
    }
  }
  return studies
}

async function metadataFile(folder: DatasetFolder): Promise<{ base: string; file: string } | undefined> {
  for (const base of xrayBases) {
    const [name] = await folder.list(base, ['-metadata.csv', '-metadata.csv.gz'])
    if (name !== undefined) return { base, file: `${base}/${name}` }
  }
  return undefined
}

/** `21800506` and `213014.531`, of which leading zeros may be lost. */
function studyTimeMs(date: string, time: string): number {
  const clock = (time.split('.')[0] ?? '').padStart(6, '0')
  return timeMs(
    `${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6, 8)} ${clock.slice(0, 2)}:${clock.slice(2, 4)}:${clock.slice(4, 6)}`,
  )
}

async function firstEcgs(
  folder: DatasetFolder,
  windows: AdmissionWindows,
): Promise<Map<string, { readonly atMs: number; readonly file: string }> | undefined> {
  const found = await recordList(folder)
  if (found === undefined) return undefined
  const ecgs = new Map<string, { readonly atMs: number; readonly file: string }>()
  for await (const { cells } of folder.streamCsv(found.file, ['subject_id', 'ecg_time', 'path'])) {
    const atMs = timeMs(cells['ecg_time'] ?? '')
    const file = `${found.base}/${cells['path']}.hea`
    for (const { hadmId } of windows.at(cells['subject_id'] ?? '', atMs))
      if (atMs < (ecgs.get(hadmId)?.atMs ?? Infinity)) ecgs.set(hadmId, { atMs, file })
  }
  return ecgs
}

async function recordList(folder: DatasetFolder): Promise<{ base: string; file: string } | undefined> {
  for (const base of ecgBases) {
    const file = await tableFile(folder, `${base}/record_list`)
    if ((await folder.size(file)) !== undefined) return { base, file }
  }
  return undefined
}

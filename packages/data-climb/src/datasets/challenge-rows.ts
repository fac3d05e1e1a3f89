import path from 'node:path'
import type { DatasetFolder } from '../dataset/dataset-folder.ts'
import type { DatasetRow } from '../dataset/dataset.ts'
import { headerText } from '../wfdb/header-text.ts'
import { parseWfdbHeader } from '../wfdb/header.ts'
import { classesOfSnomed, snomedCodes, type EcgClass } from '../ecg/snomed-classes.ts'

/** Seconds of a recording that are used: the length of most records, and what the encoder reads. */
export const ecgSeconds = 10

/** Patient and part of a record, where a second index knows them. */
export type PatientOfRecord = (record: string) => Pick<DatasetRow, 'patientId' | 'split'> | undefined

/**
 * Lists the records below a folder in the packaging of the PhysioNet Challenges: one header per record, in one folder or in parts, SNOMED CT codes in
 * its `Dx` comment.
 *
 * @param excluded records that must not be used, with the reason
 */
export async function challengeRows(
  folder: DatasetFolder,
  {
    names,
    excluded = {},
    patientOf = () => undefined,
    classesOf: chosen = classes => classes,
  }: {
    /** What records of the set are called; others may lie below the same folder. */
    readonly names: RegExp
    readonly excluded?: Readonly<Record<string, string>>
    readonly patientOf?: PatientOfRecord
    /** Turns the classes of the codes into labels; all of them by default. */
    readonly classesOf?: (classes: readonly EcgClass[]) => readonly EcgClass[]
  },
): Promise<DatasetRow[]> {
  const rows: DatasetRow[] = []
  const seen = new Set<string>()
  for (const header of await folder.listDeep('.', ['.hea'])) {
    const key = path.posix.basename(header, '.hea')
    if (!names.test(key) || seen.has(key)) continue
    seen.add(key)
    const part = partOf(path.posix.dirname(header), folder)
    rows.push({
      key,
      place: header,
      ...(part !== undefined && { part }),
      ...(patientOf(key) ?? { patientId: key }),
      labels: chosen(await classesOf(folder, header, key)),
      media: { type: 'ecg', header, maxSeconds: ecgSeconds },
      ...(excluded[key] !== undefined && { excluded: excluded[key] }),
    })
  }
  return rows
}

/** The part of a release that a record lies in: the Challenge of 2021 cuts its sets into `g1`, `g2` and so on. */
function partOf(folderOfRecord: string, folder: DatasetFolder): string | undefined {
  const name = path.basename(path.join(folder.root, folderOfRecord))
  return /^g\d+$/.test(name) ? name : undefined
}

/** A header that cannot be parsed keeps a placeholder label, so that opening reports it instead of calling it unlabelled. */
async function classesOf(folder: DatasetFolder, header: string, key: string): Promise<readonly EcgClass[]> {
  try {
    const { comments } = parseWfdbHeader(headerText(await folder.read(header)), key)
    return classesOfSnomed(snomedCodes(comments)).classes
  } catch {
    return ['Other']
  }
}

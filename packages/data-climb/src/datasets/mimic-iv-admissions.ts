import type { DatasetFolder } from '../dataset/dataset-folder.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs
/** Input and the mortality task look at the 48 hours from admission (D.3). */
export const windowMs = 48 * hourMs

/** One hospital admission: what is known at its start, and its outcomes. */
export interface Admission {
  readonly subjectId: string
  readonly hadmId: string
  readonly place: string
  /** Milliseconds; times are shifted per patient, consistently across modules. */
  readonly startMs: number
  readonly ageYears: number | undefined
  readonly sex: string
  readonly admissionType: string
  /** Fractional days from admission to discharge. */
  readonly stayDays: number
  readonly isDeadIn48h: boolean
  readonly excluded?: string
}

const columns = ['subject_id', 'hadm_id', 'admittime', 'dischtime', 'deathtime', 'admission_type', 'discharge_location']

/**
 * Reads admissions and patients, and derives both outcomes.
 *
 * @throws DATA_INDEX_INVALID when a table is missing or lacks a column
 */
export async function readAdmissions(folder: DatasetFolder): Promise<Admission[]> {
  const base = await hospitalBase(folder)
  const patients = new Map<string, Readonly<Record<string, string>>>()
  const patientColumns = ['subject_id', 'gender', 'anchor_age', 'anchor_year', 'dod']
  for await (const { cells } of folder.streamCsv(await tableFile(folder, `${base}hosp/patients`), patientColumns))
    patients.set(cells['subject_id'] ?? '', cells)
  const admissions: Admission[] = []
  for await (const { cells, place } of folder.streamCsv(await tableFile(folder, `${base}hosp/admissions`), columns))
    admissions.push(admissionOf(cells, patients.get(cells['subject_id'] ?? ''), place))
  return admissions
}

/** The tables that admissions are made of. */
export async function admissionTables(folder: DatasetFolder): Promise<string[]> {
  const base = await hospitalBase(folder)
  return Promise.all(['patients', 'admissions'].map(stem => tableFile(folder, `${base}hosp/${stem}`)))
}

/** Where `hosp` and `icu` lie below the root. */
export async function hospitalBase(folder: DatasetFolder): Promise<string> {
  for (const base of ['multimodal/mimiciv/', 'mimiciv/'])
    if ((await folder.list(`${base}hosp`, ['.csv', '.csv.gz'])).length > 0) return base
  return ''
}

/** A table, gzipped or not; the gzipped name where there is neither, so that an error names it. */
export async function tableFile(folder: DatasetFolder, stem: string): Promise<string> {
  return (await folder.size(`${stem}.csv`)) !== undefined ? `${stem}.csv` : `${stem}.csv.gz`
}

function admissionOf(
  cells: Readonly<Record<string, string>>,
  patient: Readonly<Record<string, string>> | undefined,
  place: string,
): Admission {
  const cell = (name: string) => cells[name]?.trim() ?? ''
  const [startMs, endMs] = [timeMs(cell('admittime')), timeMs(cell('dischtime'))]
  const anchorYear = Number(patient?.['anchor_year'] || Number.NaN)
  const age = Number(patient?.['anchor_age'] || Number.NaN) + new Date(startMs).getUTCFullYear() - anchorYear
  return {
    subjectId: cell('subject_id'),
    hadmId: cell('hadm_id'),
    place,
    startMs,
    ageYears: Number.isFinite(age) ? age : undefined,
    sex: patient?.['gender'] ?? '',
    admissionType: cell('admission_type'),
    stayDays: (endMs - startMs) / dayMs,
    isDeadIn48h: isDeadIn48h(
      { startMs, endMs, deathMs: timeMs(cell('deathtime')), dayOfDeathMs: timeMs(patient?.['dod'] ?? '') },
      cell('discharge_location'),
    ),
    ...(!(endMs > startMs) && { excluded: 'the admission has no end after its start' }),
  }
}

/** Death by its time, else by its date; or discharge to hospice. NaN stands for unknown, and compares as false. */
function isDeadIn48h(
  {
    startMs,
    endMs,
    deathMs,
    dayOfDeathMs,
  }: { readonly startMs: number; readonly endMs: number; readonly deathMs: number; readonly dayOfDeathMs: number },
  dischargeLocation: string,
): boolean {
  const death = Number.isNaN(deathMs) ? dayOfDeathMs : deathMs
  return death - startMs <= windowMs || (/hospice/i.test(dischargeLocation) && endMs - startMs <= windowMs)
}

/** `2180-05-06 22:23:00` or `2180-05-06` in milliseconds, read as UTC; NaN when blank or something else. */
export function timeMs(text: string): number {
  const match = /^(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d:\d\d))?/.exec(text.trim())
  return match ? Date.parse(`${match[1]}T${match[2] ?? '00:00:00'}Z`) : Number.NaN
}

/** Finds the admissions of a subject whose window holds a time. */
export class AdmissionWindows {
  readonly #bySubject: ReadonlyMap<string, readonly Admission[]>

  constructor(admissions: readonly Admission[]) {
    this.#bySubject = Map.groupBy(admissions, ({ subjectId }) => subjectId)
  }

  at(subjectId: string, atMs: number): readonly Admission[] {
    const own = this.#bySubject.get(subjectId) ?? []
    return own.filter(({ startMs }) => atMs >= startMs && atMs < startMs + windowMs)
  }

  has(subjectId: string): boolean {
    return this.#bySubject.has(subjectId)
  }
}

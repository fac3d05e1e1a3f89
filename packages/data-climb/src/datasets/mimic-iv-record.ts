import type { DatasetFolder } from '../dataset/dataset-folder.ts'
import { ownValue } from '../sample/own-value.ts'
import { extended, seriesText, type Series } from './event-series.ts'
import { byClinicalOrder, laboratoryName } from './laboratory-names.ts'
import { AdmissionWindows, hospitalBase, tableFile, timeMs, type Admission } from './mimic-iv-admissions.ts'

/** Vital signs that are taken from `icu/chartevents`, by their names in `icu/d_items`. */
const vitalNames = new Set([
  'Heart Rate',
  'Respiratory Rate',
  'O2 saturation pulseoxymetry',
  'Non Invasive Blood Pressure systolic',
  'Non Invasive Blood Pressure diastolic',
  'Arterial Blood Pressure systolic',
  'Arterial Blood Pressure diastolic',
  'Temperature Fahrenheit',
  'Temperature Celsius',
  'GCS - Eye Opening',
  'GCS - Verbal Response',
  'GCS - Motor Response',
])

/** A section of a record: one line of names and values. */
interface EventTable {
  readonly section: Section
  readonly stem: string
  readonly time: string
  /** The column that names the event, directly or through a dictionary. */
  readonly name: string
  readonly dictionary?: string
  readonly value?: { readonly number: string; readonly text: string; readonly unit: string }
  readonly isWanted?: (name: string) => boolean
}

type Section = 'Vital signs' | 'Laboratory' | 'Treatments' | 'Medications'

const numeric = { number: 'valuenum', text: 'value', unit: 'valueuom' } as const

/** The timed tables of D.3: vital signs, laboratory values, treatments, medications. */
const eventTables: readonly EventTable[] = [
  {
    section: 'Vital signs',
    stem: 'icu/chartevents',
    time: 'charttime',
    name: 'itemid',
    dictionary: 'icu/d_items',
    value: numeric,
    isWanted: name => vitalNames.has(name),
  },
  {
    section: 'Laboratory',
    stem: 'hosp/labevents',
    time: 'charttime',
    name: 'itemid',
    dictionary: 'hosp/d_labitems',
    value: numeric,
  },
  { section: 'Treatments', stem: 'icu/procedureevents', time: 'starttime', name: 'itemid', dictionary: 'icu/d_items' },
  { section: 'Treatments', stem: 'icu/inputevents', time: 'starttime', name: 'itemid', dictionary: 'icu/d_items' },
  { section: 'Medications', stem: 'hosp/prescriptions', time: 'starttime', name: 'drug' },
]

const sections: readonly Section[] = ['Vital signs', 'Laboratory', 'Treatments', 'Medications']

/** What was recorded in the window: per section, series by name; treatments and medications have no values. */
export type AdmissionRecord = ReadonlyMap<Section, ReadonlyMap<string, Series>>

/** Names per section, the clinically important first, and characters of a value and of a name; the public prompt holds 4,000 tokens. */
const maxNames = 48
const maxValueCharacters = 24
const maxNameCharacters = 80

/**
 * Collects the events in the window of each admission, reading every table once and row by row. Tables that are not there
 * are left out.
 *
 * @returns by `hadmId`
 * @throws DATA_INDEX_INVALID when a table is malformed or lacks a column
 */
export async function collectRecords(
  folder: DatasetFolder,
  admissions: readonly Admission[],
): Promise<Map<string, AdmissionRecord>> {
  const base = await hospitalBase(folder)
  const windows = new AdmissionWindows(admissions)
  const records = new Map<string, Map<Section, Map<string, Series>>>()
  for (const table of eventTables) {
    const file = await tableFile(folder, base + table.stem)
    if ((await folder.size(file)) === undefined) continue
    const names = table.dictionary === undefined ? undefined : await readDictionary(folder, base + table.dictionary)
    const columns = ['subject_id', table.time, table.name, ...(table.value ? Object.values(table.value) : [])]
    for await (const { cells } of folder.streamCsv(file, columns)) addEvent(cells, { table, names, windows, records })
  }
  return records
}

/** Names of a dictionary's items; those of laboratory values say of which fluid they are. */
async function readDictionary(folder: DatasetFolder, stem: string): Promise<Map<string, string>> {
  const names = new Map<string, string>()
  const options = { isWhole: true } // a dictionary of vital signs has no fluid
  for await (const { cells } of folder.streamCsv(await tableFile(folder, stem), ['itemid', 'label'], options))
    names.set(cells['itemid'] ?? '', laboratoryName(cells['label'] ?? '', cells['fluid'] ?? ''))
  return names
}

/** The tables that records are made of, those that are there. */
export async function recordTables(folder: DatasetFolder): Promise<string[]> {
  const base = await hospitalBase(folder)
  const stems = eventTables.flatMap(({ stem, dictionary }) => (dictionary === undefined ? [stem] : [stem, dictionary]))
  return Promise.all([...new Set(stems)].map(stem => tableFile(folder, base + stem)))
}

interface Collection {
  readonly table: EventTable
  readonly names: ReadonlyMap<string, string> | undefined
  readonly windows: AdmissionWindows
  readonly records: Map<string, Map<Section, Map<string, Series>>>
}

function addEvent(cells: Readonly<Record<string, string>>, { table, names, windows, records }: Collection): void {
  const subject = cells['subject_id'] ?? ''
  if (!windows.has(subject)) return
  const written = cells[table.name] ?? ''
  const name = plain(names ? (names.get(written) ?? '') : written, maxNameCharacters)
  const value = valueOf(cells, table)
  if (name === '' || value === undefined || table.isWanted?.(name) === false) return
  const atMs = timeMs(cells[table.time] ?? '')
  for (const { hadmId } of windows.at(subject, atMs)) {
    const record = records.get(hadmId) ?? new Map<Section, Map<string, Series>>()
    const section = record.get(table.section) ?? new Map<string, Series>()
    const unit = plain(cells[table.value?.unit ?? ''] ?? '', maxValueCharacters)
    const key = isOtherUnit(section.get(name)?.unit, unit) ? `${name} (${unit})` : name
    section.set(key, extended(section.get(key), { atMs, value, unit }))
    record.set(table.section, section)
    records.set(hadmId, record)
  }
}

/** Values in two units are two series. */
function isOtherUnit(known: string | undefined, unit: string): boolean {
  return known !== undefined && known !== '' && unit !== '' && known.toLowerCase() !== unit.toLowerCase()
}

/** The number where there is one, else the words; an empty text where the table has no values. */
function valueOf(cells: Readonly<Record<string, string>>, { value }: EventTable): string | undefined {
  if (!value) return ''
  const number = cells[value.number]?.trim() ?? ''
  if (number !== '' && Number.isFinite(Number(number))) return String(Number(number))
  // Underscores stand for what was removed to protect patients.
  const text = plain(cells[value.text] ?? '', maxValueCharacters)
  return text === '' || /^_+$/.test(text) ? undefined : text
}

/** One line without the brackets of media markers and templates. */
function plain(text: string, limit: number): string {
  return text
    .replace(/[<>{}\s]+/g, ' ')
    .trim()
    .slice(0, limit)
}

/** Writes the record as text: one line per section, `first to last` where a value changed, with its extremes. */
export function recordText({ ageYears, sex, admissionType }: Admission, record: AdmissionRecord | undefined): string {
  const person = [
    ageYears === undefined ? '' : `age ${ageYears}`,
    ownValue({ F: 'female', M: 'male' }, sex) ?? '',
    plain(admissionType, maxNameCharacters).toLowerCase(),
  ]
  const lines = sections.flatMap(section => {
    const series = [...(record?.get(section) ?? [])].toSorted(([a], [b]) => byClinicalOrder(a, b)).slice(0, maxNames)
    return series.length === 0
      ? []
      : [`${section}: ${series.map(([name, values]) => seriesText(name, values)).join('; ')}`]
  })
  return [`Patient: ${person.filter(part => part !== '').join(', ')}`, ...lines].join('\n')
}

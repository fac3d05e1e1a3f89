import { parse } from 'csv-parse/sync'
import { standardLead } from '../ecg/ecg-leads.ts'
import { millivoltsPerUnit } from '../ecg/ecg-units.ts'
import { dataErrors } from '../errors.ts'
import type { StoredEcg, StoredLead } from '../ecg/stored-ecg.ts'
import { headerText } from '../wfdb/header-text.ts'

const format = 'CSV'
/** Half an hour of twelve leads at 500 Hz. */
const maxBytes = 64 * 2 ** 20
const maxColumns = 256

/** What a table may leave open. */
export interface EcgTableOptions {
  /** Samples per second, for a table without a column of times and without a comment that says it. */
  readonly samplingRateHz?: number
  /** Unit of all leads, such as `mV`, for a table whose header names none. */
  readonly unit?: string
}

/** Tells whether a text starts like a table of leads: its first line that is no comment names one of the twelve. */
export function isEcgTable(start: Uint8Array): boolean {
  const text = headerText(start.subarray(0, 4096))
  if (text.includes('\0')) return false
  const header = text.split(/\r?\n/).find(line => line.trim() !== '' && !line.startsWith('#')) ?? ''
  const columns = header.split(delimiterOf(header))
  return columns.length > 1 && columns.some(column => standardLead(columnOf(column).name) !== undefined)
}

/**
 * Reads a table of leads: a header, and one row per sample; commas, semicolons or tabs between cells. The unit stands in the
 * header (`I (mV)`, `II [uV]`, `V1_mV`), in a second row of units as PhysioNet's tools write it, in a comment (`# unit: mV`) or
 * in the options; the sampling rate in a column of times (`time (s)`, `t_ms`, `0:00.002`), in a comment (`# fs: 500`) or in the
 * options. Neither is guessed.
 *
 * @throws DATA_ECG_INVALID, DATA_ECG_UNIT_MISSING, DATA_ECG_RATE_MISSING
 */
export function readEcgTable(bytes: Uint8Array, options: EcgTableOptions = {}): StoredEcg {
  if (bytes.length > maxBytes) throw invalid(`it has more than ${maxBytes} bytes`)
  const text = headerText(bytes)
  const lines = text.split(/\r?\n/)
  const comments = lines.filter(line => line.startsWith('#')).slice(0, 1000)
  const [header = [], ...below] = cellsOf(text, lines)
  const units = isUnitRow(below[0] ?? []) ? below[0]!.map(unquoted) : []
  const rows = units.length > 0 ? below.slice(1) : below
  if (header.length > maxColumns || rows.length === 0) throw invalid('it has no rows, or too many columns')
  const columns = header.map((cell, i) => ({ ...columnOf(cell), ...(units[i] && { unit: units[i] }) }))
  const samplingRateHz = options.samplingRateHz ?? commentNumber(comments) ?? rateOfTimes(columns, { rows })
  if (samplingRateHz === undefined) throw dataErrors.ECG_RATE_MISSING({})
  if (!(samplingRateHz > 0 && Number.isFinite(samplingRateHz))) throw invalid('its sampling rate is no positive number')
  const unit = options.unit ?? commentUnit(comments)
  const leads = columns.flatMap(({ name, unit: own }, i): StoredLead[] => {
    if (isTime(name) || isCounter(name)) return []
    const leadUnit = own ?? unit
    if (leadUnit === undefined) throw dataErrors.ECG_UNIT_MISSING({})
    return [
      { name, units: leadUnit, scale: 1, zero: 0, samplingRateHz, samples: numbersOf(rows, i), missing: undefined },
    ]
  })
  return { leads, warnings: [] }
}

function cellsOf(text: string, lines: readonly string[]): readonly string[][] {
  const header = lines.find(line => line.trim() !== '' && !line.startsWith('#')) ?? ''
  const delimiter = delimiterOf(header)
  try {
    return parse(text, {
      bom: true,
      comment: '#',
      delimiter,
      skip_empty_lines: true,
      trim: true,
      max_record_size: 2 ** 20,
    })
  } catch (cause) {
    throw dataErrors.ECG_INVALID({ format, problem: 'it is no valid table' }, { cause })
  }
}

function delimiterOf(header: string): string {
  return [';', '\t'].find(character => header.includes(character)) ?? ','
}

interface Column {
  readonly name: string
  readonly unit: string | undefined
}

/** `I (mV)`, `II [uV]`, `V1_mV`, `aVR/mV` and `I mV`: a name and a unit that is a voltage or a time. */
function columnOf(header: string): Column {
  const text = unquoted(header)
  const match = /^(.+?)\s*(?:\(([^()]+)\)|\[([^[\]]+)\]|[_/\s]([^_/\s]+))$/.exec(text)
  const unit = match?.[2] ?? match?.[3] ?? match?.[4]
  if (unit === undefined || match?.[1] === undefined) return { name: text, unit: undefined }
  const isKnown = millivoltsPerUnit(unit) !== undefined || secondsOf(unit) !== undefined
  // What stands in brackets is a unit, unless it explains a lead: `aVF (Goldberger)`.
  const isUnit = isKnown || (match[4] === undefined && standardLead(text) === undefined)
  return isUnit ? { name: match[1], unit } : { name: text, unit: undefined }
}

function unquoted(cell: string): string {
  return cell.trim().replaceAll(/^["']|["']$/g, '')
}

/** A row that names a voltage and holds no number: `'hh:mm:ss.mmm','mV','mV'`. */
function isUnitRow(cells: readonly string[]): boolean {
  const words = cells.map(unquoted)
  return words.some(word => millivoltsPerUnit(word) !== undefined) && !words.some(word => /^[+-]?[.,]?\d/.test(word))
}

function isTime(name: string): boolean {
  return /^(?:time|times|timestamp|elapsed(?:[ _]?time)?|t|seconds?|milliseconds?)$/i.test(name)
}

function isCounter(name: string): boolean {
  return /^(?:|index|sample|samples|sample[ _]?(?:number|index|id)|n|row|unnamed: ?\d+)$/i.test(name)
}

const secondsByUnit: ReadonlyMap<string, number> = new Map([
  ['s', 1],
  ['sec', 1],
  ['second', 1],
  ['seconds', 1],
  ['ms', 1e-3],
  ['msec', 1e-3],
  ['millisecond', 1e-3],
  ['milliseconds', 1e-3],
  ['us', 1e-6],
  ['\u03BCs', 1e-6],
])

function secondsOf(unit: string): number | undefined {
  return secondsByUnit.get(unit.trim().toLowerCase().replaceAll('\u00B5', '\u03BC'))
}

/** The sampling rate of a column of times in equal steps. */
function rateOfTimes(columns: readonly Column[], { rows }: { readonly rows: readonly string[][] }): number | undefined {
  const at = columns.findIndex(({ name }) => isTime(name))
  const column = columns[at]
  if (!column || rows.length < 2) return undefined
  const cells = rows.map(row => unquoted(row[at] ?? ''))
  const isClock = cells[0]!.includes(':') // two rows at least
  const unit = isClock ? 1 : (secondsOf(column.unit ?? '') ?? secondsOf(column.name))
  if (unit === undefined) throw invalid('its times have no unit: write s or ms into the header of their column')
  const times = isClock ? Float64Array.from(cells, clockSeconds) : numbersOf(rows, at)
  const first = times[0]!
  const step = (times.at(-1)! - first) / (times.length - 1)
  if (!(step > 0) || times.some((time, i) => !(Math.abs(time - first - i * step) <= step / 2)))
    throw invalid('its times do not grow in equal steps')
  const rate = 1 / (step * unit)
  // Times are rounded, 0.003 for 1/360: a whole number of hertz that they allow is the one meant.
  const resolution =
    10 ** -Math.max(...[cells[0]!, cells.at(-1)!].map(cell => /[.,](\d+)$/.exec(cell)?.[1]!.length ?? 0))
  const whole = Math.round(rate)
  const isWhole = whole > 0 && Math.abs(whole - rate) <= (rate * resolution) / (step * (times.length - 1))
  return isWhole ? whole : Number(rate.toPrecision(7))
}

/** Seconds of `0:00.002` and `1:02:03.004`. */
function clockSeconds(cell: string): number {
  const match = /^(?:(\d+):)?(\d{1,2}):(\d{1,2}(?:\.\d+)?)$/.exec(cell)
  if (!match) throw invalid('its times are no times of a clock')
  return Number(match[1] ?? 0) * 3600 + Number(match[2]) * 60 + Number(match[3])
}

/** Numbers of a column; an empty cell, `-` and `NaN` are missing samples. A comma is a decimal one where cells are apart by others. */
function numbersOf(rows: readonly string[][], column: number): Float64Array {
  return Float64Array.from(rows, (cells, i) => {
    const cell = cells[column] ?? ''
    if (cell === '' || cell === '-' || /^nan$/i.test(cell)) return Number.NaN
    const value = /^[+-]?(?:\d+[.,]?\d*|[.,]\d+)(?:e[+-]?\d+)?$/i.test(cell)
      ? Number(cell.replace(',', '.'))
      : Number.NaN
    if (!Number.isFinite(value)) throw invalid(`row ${i + 1} holds something that is no number`)
    return value
  })
}

const commentedRate =
  /^#+\s*(?:fs|sampl(?:ing|e)[ _-]?(?:rate|frequency|freq)|frequency)(?:[ _]?\(?hz\)?)?\s*[:=,;\t ]\s*([\d.]+)\s*(?:hz)?/i

function commentNumber(comments: readonly string[]): number | undefined {
  const [first] = comments.flatMap(line => commentedRate.exec(line)?.[1] ?? [])
  return first === undefined ? undefined : Number(first)
}

function commentUnit(comments: readonly string[]): string | undefined {
  const [first] = comments.flatMap(line => /^#+\s*units?\s*[:=,;\t ]\s*(\S+)/i.exec(line)?.[1] ?? [])
  return first
}

function invalid(problem: string): Error {
  return dataErrors.ECG_INVALID({ format, problem })
}

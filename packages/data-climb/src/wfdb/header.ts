import { wfdbErrors } from './errors.ts'
import { isPlainFileName } from './file-name.ts'
import { parseSignalLine, type WfdbSignalHeader } from './signal-line.ts'

/** One segment of a multi-segment record: its record name (`~` is a gap) and its length in frames. */
export interface WfdbSegment {
  readonly name: string
  readonly frames: number
}

/** A parsed WFDB header (`.hea`), of one record or of a multi-segment one. */
export interface WfdbHeader {
  readonly record: string
  /** Frames per second; a signal with k samples per frame has k times this rate. */
  readonly frameRateHz: number
  /** Frames per signal; 0 when the header does not say. */
  readonly frames: number
  readonly signalCount: number
  /** Start of the recording as written (time, then date), or undefined. */
  readonly start: string | undefined
  /** One entry per signal; empty for a multi-segment record. */
  readonly signals: readonly WfdbSignalHeader[]
  /** The segments of a multi-segment record; empty otherwise. */
  readonly segments: readonly WfdbSegment[]
  /** Comment lines without `#` and surrounding blanks. They may hold patient data: never log them. */
  readonly comments: readonly string[]
  /** What the parser tolerated, in words. */
  readonly warnings: readonly string[]
}

/** Signals in one record; the widest known clinical montages stay below 300. */
const maxSignals = 4096
/** Segments in one record; a week of one-minute segments is 10,080. */
const maxSegments = 100_000
const defaultFrameRateHz = 250

/**
 * Parses the text of a `.hea` file: the WFDB form, the form with `# Dx:` comments, and the form of the 2020 Challenge,
 * whose record line carries a `.mat` suffix and a written-out date.
 *
 * @param text the header file
 * @param name the record's name, used in errors and where the record line has none
 * @throws WFDB_BAD_HEADER when a line cannot be understood
 * @throws WFDB_UNSAFE_FILE_NAME when a signal file or segment lies outside the record's folder
 */
export function parseWfdbHeader(text: string, name: string): WfdbHeader {
  const comments: string[] = []
  const lines: { text: string; number: number }[] = []
  for (const [i, raw] of text
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\r|\n/)
    .entries()) {
    const line = raw.trim()
    if (line.startsWith('#')) comments.push(line.slice(1).trim())
    else if (line !== '') lines.push({ text: line, number: i + 1 })
  }
  const first = lines[0]
  if (!first) throw wfdbErrors.BAD_HEADER({ record: name, line: 1, problem: 'there is no record line' })
  const warnings: string[] = []
  const record = parseRecordLine(first.text, { name, line: first.number, warnings })
  const body = lines.slice(1)
  const claimed = record.segmentCount ?? record.signalCount
  if (body.length < claimed) {
    const problem = `the record line claims ${claimed} lines, ${body.length} follow`
    throw wfdbErrors.BAD_HEADER({ record: name, line: first.number, problem })
  }
  if (body.length > claimed) warnings.push(`${body.length - claimed} lines after the last claimed one were ignored`)
  const used = body.slice(0, claimed)
  const { segmentCount, ...rest } = record
  const signals = segmentCount === undefined ? used.map(line => parseSignalLine(line.text, name, line.number)) : []
  const segments = segmentCount === undefined ? [] : used.map(line => parseSegmentLine(line.text, name, line.number))
  return { ...rest, signals, segments, comments, warnings }
}

interface RecordLine {
  readonly record: string
  readonly segmentCount: number | undefined
  readonly signalCount: number
  readonly frameRateHz: number
  readonly frames: number
  readonly start: string | undefined
}

function parseRecordLine(text: string, at: { name: string; line: number; warnings: string[] }): RecordLine {
  const fail = (problem: string) => wfdbErrors.BAD_HEADER({ record: at.name, line: at.line, problem })
  const [nameField = '', signalField, rateField, framesField, ...startFields] = text.split(/\s+/)
  const [writtenName = '', segmentField] = nameField.split('/')
  const record = writtenName.replace(/\.(mat|dat|hea)$/i, '')
  if (record !== writtenName) at.warnings.push('the record name carries a file suffix, which was dropped')
  const signalCount = count(signalField, maxSignals)
  if (signalCount === undefined) throw fail('the number of signals is missing or too large')
  const segmentCount = segmentField === undefined ? undefined : count(segmentField, maxSegments)
  if (segmentField !== undefined && segmentCount === undefined) throw fail('the number of segments is not a count')
  const frameRateHz = rateField === undefined ? defaultFrameRateHz : Number.parseFloat(rateField)
  if (!(frameRateHz > 0 && Number.isFinite(frameRateHz))) throw fail('the sampling rate is not a positive number')
  const frames = framesField === undefined ? 0 : count(framesField, Number.MAX_SAFE_INTEGER)
  if (frames === undefined) throw fail('the number of samples is not a count')
  const start = startFields.length > 0 ? startFields.join(' ') : undefined
  return { record, segmentCount, signalCount, frameRateHz, frames, start }
}

function parseSegmentLine(text: string, record: string, line: number): WfdbSegment {
  const [name = '', framesField] = text.split(/\s+/)
  if (name !== '~' && !isPlainFileName(name)) throw wfdbErrors.UNSAFE_FILE_NAME({ record, line })
  const frames = count(framesField, Number.MAX_SAFE_INTEGER)
  if (frames === undefined) throw wfdbErrors.BAD_HEADER({ record, line, problem: 'a segment has no length' })
  return { name, frames }
}

function count(field: string | undefined, limit: number): number | undefined {
  if (field === undefined || !/^\d+$/.test(field)) return undefined
  const value = Number(field)
  return value <= limit ? value : undefined
}

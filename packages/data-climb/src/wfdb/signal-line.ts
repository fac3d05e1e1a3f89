import { wfdbErrors } from './errors.ts'
import { isPlainFileName } from './file-name.ts'
import { storageFormats, type StorageFormat } from './storage-formats.ts'

/** One signal line of a header, with the defaults of the WFDB format filled in. */
export interface WfdbSignalHeader {
  /** Signal file, a plain name beside the header; `~` when there is none (a layout header or a gap). */
  readonly file: string
  readonly format: StorageFormat
  readonly samplesPerFrame: number
  /** Frames by which this signal lags the others in the file. */
  readonly skewFrames: number
  /** Bytes before the first sample, such as 24 in a MATLAB level 4 file. */
  readonly byteOffset: number
  /** Digital units per physical unit. */
  readonly gain: number
  /** Digital value of physical zero. */
  readonly baseline: number
  readonly units: string
  readonly adcResolutionBits: number
  readonly adcZero: number
  /** First sample as written; format 8 starts from it. */
  readonly initialValue: number
  /** 16-bit sum of the samples as written, or undefined. */
  readonly checksum: number | undefined
  readonly description: string
}

/** A gain of 0 or none means uncalibrated; WFDB then assumes 200 units per millivolt. */
const uncalibratedGain = 200
const maxSamplesPerFrame = 100_000

/** Parses `file format[xN][:skew][+offset] [gain[(baseline)][/units] [resolution [zero [initial [checksum [block [description]]]]]]]`. */
export function parseSignalLine(text: string, record: string, line: number): WfdbSignalHeader {
  const fail = (problem: string) => wfdbErrors.BAD_HEADER({ record, line, problem })
  const match = /^(\S+)\s+(\S+)\s*(.*)$/.exec(text)
  if (!match) throw fail('a signal line needs a file and a format')
  const [, file = '', formatField = '', rest = ''] = match
  if (file !== '~' && !isPlainFileName(file)) throw wfdbErrors.UNSAFE_FILE_NAME({ record, line })
  const storage = /^(\d+)(?:x(\d+))?(?::(\d+))?(?:\+(\d+))?$/.exec(formatField)
  if (!storage) throw fail('the storage format is not of the form N, NxK, N:S or N+O')
  const [, formatName = '', perFrame = '1', skew = '0', offset = '0'] = storage
  const format = storageFormats.find(known => known === formatName)
  if (format === undefined && file !== '~') throw wfdbErrors.UNKNOWN_FORMAT({ record, format: formatName })
  const samplesPerFrame = Number(perFrame)
  if (!(samplesPerFrame >= 1 && samplesPerFrame <= maxSamplesPerFrame))
    throw fail('the samples per frame are out of range')
  const skewFrames = Number(skew)
  const byteOffset = Number(offset)
  if (!Number.isSafeInteger(skewFrames) || !Number.isSafeInteger(byteOffset)) throw fail('an offset is out of range')
  const calibration = parseCalibration(rest, fail)
  return { file, format: format ?? '16', samplesPerFrame, skewFrames, byteOffset, ...calibration }
}

type Calibration = Omit<WfdbSignalHeader, 'file' | 'format' | 'samplesPerFrame' | 'skewFrames' | 'byteOffset'>

function parseCalibration(rest: string, fail: (problem: string) => Error): Calibration {
  const [field, after] = splitField(rest)
  const { gain, baseline, units } = parseGain(field, fail)
  const { integers, description } = leadingIntegers(after, fail)
  const [adcResolutionBits = 0, adcZero = 0, initialValue, checksum] = integers
  return {
    gain,
    baseline: baseline ?? adcZero,
    units,
    adcResolutionBits,
    adcZero,
    initialValue: initialValue ?? adcZero,
    checksum,
    description,
  }
}

/** Parses `gain[(baseline)][/units]`; the slash may be missing before a voltage, as wfdb-python reads it. A field that is something else is refused: a guess would scale the signal. */
function parseGain(
  field: string,
  fail: (problem: string) => Error,
): { gain: number; baseline: number | undefined; units: string } {
  if (field === '') return { gain: uncalibratedGain, baseline: undefined, units: 'mV' }
  const match = /^([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)(?:\(([+-]?\d+)(?:\.0*)?\))?(?:\/(.*)|([munµμ]?v))?$/i.exec(
    field,
  )
  if (!match) throw fail('the gain is not of the form N, N(baseline) or N(baseline)/units')
  const gain = Number(match[1])
  if (!Number.isFinite(gain)) throw fail('the gain is not a finite number')
  const baseline = match[2] === undefined ? undefined : Number(match[2])
  if (baseline !== undefined && !Number.isSafeInteger(baseline)) throw fail('the baseline is out of range')
  return { gain: gain === 0 ? uncalibratedGain : gain, baseline, units: match[3] || match[4] || 'mV' }
}

/** Resolution, zero, first sample, checksum and block size; the description follows them. */
const maxIntegerFields = 5

function leadingIntegers(text: string, fail: (problem: string) => Error): { integers: number[]; description: string } {
  const integers: number[] = []
  let rest = text
  while (integers.length < maxIntegerFields) {
    const [field, after] = splitField(rest)
    if (/^[+-]?\d+(?:\.0*)?$/.test(field)) integers.push(Number(field))
    else if (/^[+-]?[\d.]+$/.test(field)) throw fail(`field ${integers.length + 4} is not an integer`)
    else break
    rest = after
  }
  if (integers.length === 0 && /^[(/]/.test(rest)) throw fail('a blank stands inside the gain')
  return { integers, description: rest }
}

function splitField(text: string): [string, string] {
  const at = text.search(/\s/)
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at).trim()]
}

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
  const match = /^(-?[\d.]+(?:e[+-]?\d+)?)(?:\((-?\d+)\))?(?:\/(\S+))?(?:\s+|$)(.*)$/i.exec(rest)
  if (!match && /^[+-]?(nan|inf)/i.test(rest)) throw fail('the gain is not a finite number')
  const gainWritten = match ? Number(match[1]) : 0
  if (!Number.isFinite(gainWritten)) throw fail('the gain is not a finite number')
  const { integers, description } = leadingIntegers(match ? (match[4] ?? '') : rest, 5)
  const [adcResolutionBits = 0, adcZero = 0, initialValue, checksum] = integers
  const baseline = match?.[2] === undefined ? adcZero : Number(match[2])
  return {
    gain: gainWritten === 0 ? uncalibratedGain : gainWritten,
    baseline,
    units: match?.[3] ?? 'mV',
    adcResolutionBits,
    adcZero,
    initialValue: initialValue ?? adcZero,
    checksum,
    description,
  }
}

function leadingIntegers(text: string, limit: number): { integers: number[]; description: string } {
  const integers: number[] = []
  let rest = text
  while (integers.length < limit) {
    const match = /^(-?\d+)(?:\s+|$)/.exec(rest)
    if (!match) break
    integers.push(Number(match[1]))
    rest = rest.slice(match[0].length)
  }
  return { integers, description: rest.trim() }
}

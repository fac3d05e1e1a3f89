import { wfdbErrors } from './errors.ts'

/** One signal to write, already digital. */
export interface WfdbSignalToWrite {
  readonly name: string
  /** [samples] integers from -32767 to 32767; -32768 means missing. */
  readonly digital: Int16Array
  /** Digital units per physical unit. */
  readonly gain: number
  readonly baseline?: number
  readonly units?: string
}

/** A record to write. */
export interface WfdbRecordToWrite {
  readonly record: string
  readonly samplingRateHz: number
  readonly signals: readonly WfdbSignalToWrite[]
  /** Comment lines without `#`. */
  readonly comments?: readonly string[]
}

/**
 * Encodes a record in storage format 16: header text and interleaved little-endian samples.
 *
 * @returns the contents of `<record>.hea` and `<record>.dat`
 * @throws WFDB_BAD_SIGNAL when names or lengths do not fit the format
 */
export function encodeWfdb({ record, samplingRateHz, signals, comments = [] }: WfdbRecordToWrite): {
  hea: string
  dat: Uint8Array
} {
  const fail = (problem: string) => wfdbErrors.BAD_SIGNAL({ record, problem })
  if (!/^[-\w]+$/.test(record)) throw fail('its name may hold letters, digits, "_" and "-" only')
  const length = signals[0]?.digital.length ?? 0
  if (length === 0 || signals.some(signal => signal.digital.length !== length))
    throw fail('its signals differ in length or are empty')
  if (signals.some(signal => !(Number.isFinite(signal.gain) && signal.gain > 0)))
    throw fail('a gain is not a positive number')
  if ([...comments, ...signals.map(signal => signal.name)].some(text => /[\r\n]/.test(text)))
    throw fail('a text holds a line break')
  const samples = new DataView(new ArrayBuffer(length * signals.length * 2))
  const lines = signals.map(({ name, digital, gain, baseline = 0, units = 'mV' }, channel) => {
    let sum = 0
    for (let i = 0; i < length; i++) {
      const sample = digital[i]! // bounded by the loop
      samples.setInt16((i * signals.length + channel) * 2, sample, true)
      sum = (sum + sample) | 0
    }
    return `${record}.dat 16 ${gain}(${baseline})/${units} 16 0 ${digital[0]} ${(sum << 16) >> 16} 0 ${name}`
  })
  const head = `${record} ${signals.length} ${samplingRateHz} ${length}`
  const hea = [head, ...lines, ...comments.map(comment => `# ${comment}`)].join('\n')
  return { hea: `${hea}\n`, dat: new Uint8Array(samples.buffer) }
}

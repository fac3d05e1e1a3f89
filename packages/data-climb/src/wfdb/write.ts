import { wfdbErrors } from './errors.ts'
import { packers, type Packer, type WritableFormat } from './pack.ts'

/** One signal to write, already digital. */
export interface WfdbSignalToWrite {
  readonly name: string
  /** [samples] integers within the range of the format; its lowest value means missing, but in format 8. */
  readonly digital: Int16Array | Int32Array
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
  /** How samples are stored; `16` by default. */
  readonly format?: WritableFormat
}

/**
 * Encodes a record: header text and one signal file of interleaved samples.
 *
 * @returns the contents of `<record>.hea` and `<record>.dat`
 * @throws WFDB_BAD_SIGNAL when names, lengths or samples do not fit the format
 */
export function encodeWfdb(toWrite: WfdbRecordToWrite): { hea: string; dat: Uint8Array } {
  const { record, samplingRateHz, signals, comments = [], format = '16' } = toWrite
  refuseUnwritable(toWrite)
  const length = signals[0]?.digital.length ?? 0
  const packer: Packer = packers[format]
  const { bits, pack } = packer
  const interleaved = new Int32Array(length * signals.length)
  const lines = signals.map(({ name, digital, gain, baseline = 0, units = 'mV' }, channel) => {
    const samples = packer.stored?.(digital) ?? digital
    let sum = 0
    for (let i = 0; i < length; i++) {
      const sample = samples[i]! // bounded by the loop
      if (sample < -(2 ** (bits - 1)) || sample > 2 ** (bits - 1) - 1)
        throw wfdbErrors.BAD_SIGNAL({
          record,
          problem: `sample ${i} of signal ${channel} does not fit format ${format}`,
        })
      interleaved[i * signals.length + channel] = sample
      sum = (sum + digital[i]!) | 0 // as long as its stored form
    }
    return `${record}.dat ${format} ${gain}(${baseline})/${units} ${bits} 0 ${digital[0]} ${(sum << 16) >> 16} 0 ${name}`
  })
  const head = `${record} ${signals.length} ${samplingRateHz} ${length}`
  const hea = [head, ...lines, ...comments.map(comment => `# ${comment}`)].join('\n')
  return { hea: `${hea}\n`, dat: pack(interleaved) }
}

function refuseUnwritable({ record, signals, comments = [] }: WfdbRecordToWrite): void {
  const fail = (problem: string) => wfdbErrors.BAD_SIGNAL({ record, problem })
  if (!/^[-\w]+$/.test(record)) throw fail('its name may hold letters, digits, "_" and "-" only')
  const length = signals[0]?.digital.length ?? 0
  if (length === 0 || signals.some(signal => signal.digital.length !== length))
    throw fail('its signals differ in length or are empty')
  if (signals.some(signal => !(Number.isFinite(signal.gain) && signal.gain > 0)))
    throw fail('a gain is not a positive number')
  if ([...comments, ...signals.map(signal => signal.name)].some(text => /[\r\n]/.test(text)))
    throw fail('a text holds a line break')
}

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseWfdbHeader } from './header.ts'
import { physicalSignal, smoothFrames } from './physical.ts'
import { decodeWfdb } from './record.ts'
import { joinSegments } from './segments.ts'
import { encodeWfdb } from './write.ts'

const withCode = (code: string) => expect.objectContaining({ code })
const decode = (header: string, files: Record<string, Uint8Array>) =>
  decodeWfdb(parseWfdbHeader(header, 'r'), new Map(Object.entries(files)))
const caught = (run: () => unknown): unknown => {
  try {
    return run()
  } catch (error) {
    return error
  }
}

const segment = (name: string, header: string, samples: number[]) =>
  decode(header.replaceAll('$', name), { [`${name}.dat`]: new Uint8Array(Int16Array.from(samples).buffer) })

describe('parseWfdbHeader', () => {
  test('fills in the defaults of the format', () => {
    const header = parseWfdbHeader('r 2\nr.dat 16\nr.dat 212x2:3+24 0 12 7', 'r')
    expect([header.frameRateHz, header.frames]).toEqual([250, 0])
    expect(header.signals[0]).toMatchObject({
      gain: 200,
      baseline: 0,
      units: 'mV',
      samplesPerFrame: 1,
      checksum: undefined,
    })
    expect(header.signals[1]).toMatchObject({
      gain: 200,
      baseline: 7,
      samplesPerFrame: 2,
      skewFrames: 3,
      byteOffset: 24,
    })
  })

  test('takes the rest of a line as the description, blanks and all', () => {
    const [signal] = parseWfdbHeader('r 1 500 10\nr.dat 16 1e3(-4)/uV 16 0 -5 77 0 lead II, filtered', 'r').signals
    expect(signal).toMatchObject({
      gain: 1000,
      baseline: -4,
      units: 'uV',
      initialValue: -5,
      checksum: 77,
      description: 'lead II, filtered',
    })
  })

  test('reads comments of both generations, and Windows line ends', () => {
    expect(parseWfdbHeader('r 0 500 0\r\n#Dx: 1\r\n# Sex: F\r\n', 'r').comments).toEqual(['Dx: 1', 'Sex: F'])
  })

  test('keeps a start time and a start date that is written out', () => {
    expect(parseWfdbHeader('r 0 500/999.5(3) 0 05-May-2020 14:50:55', 'r')).toMatchObject({
      frameRateHz: 500,
      start: '05-May-2020 14:50:55',
    })
  })

  test.for([
    { name: 'nothing', text: '# only a comment', want: 'WFDB_BAD_HEADER' },
    { name: 'no signal count', text: 'r', want: 'WFDB_BAD_HEADER' },
    { name: 'a negative signal count', text: 'r -1 500 10', want: 'WFDB_BAD_HEADER' },
    { name: 'a signal count that lies', text: 'r 12 500 10\nr.dat 16', want: 'WFDB_BAD_HEADER' },
    { name: 'a billion signals', text: 'r 1000000000 500 10', want: 'WFDB_BAD_HEADER' },
    { name: 'a sampling rate of zero', text: 'r 0 0 10', want: 'WFDB_BAD_HEADER' },
    { name: 'a sampling rate that is no number', text: 'r 0 fast 10', want: 'WFDB_BAD_HEADER' },
    { name: 'a gain that is not a number', text: 'r 1 500 10\nr.dat 16 nan', want: 'WFDB_BAD_HEADER' },
    { name: 'an infinite gain', text: 'r 1 500 10\nr.dat 16 1e999', want: 'WFDB_BAD_HEADER' },
    { name: 'zero samples per frame', text: 'r 1 500 10\nr.dat 16x0', want: 'WFDB_BAD_HEADER' },
    { name: 'a storage format that does not exist', text: 'r 1 500 10\nr.dat 17', want: 'WFDB_UNKNOWN_FORMAT' },
    { name: 'a file in the parent folder', text: 'r 1 500 10\n../../etc/passwd 16', want: 'WFDB_UNSAFE_FILE_NAME' },
    { name: 'an absolute file', text: 'r 1 500 10\n/etc/passwd 16', want: 'WFDB_UNSAFE_FILE_NAME' },
    { name: 'a file on another drive', text: 'r 1 500 10\nC:\\x.dat 16', want: 'WFDB_UNSAFE_FILE_NAME' },
    { name: 'a segment in another folder', text: 'r/1 1 500 10\n../x 10', want: 'WFDB_UNSAFE_FILE_NAME' },
    { name: 'a segment without a length', text: 'r/1 1 500 10\nx', want: 'WFDB_BAD_HEADER' },
  ])('refuses $name', ({ text, want }) => {
    expect(caught(() => parseWfdbHeader(text, 'r'))).toEqual(withCode(want))
  })

  test('never throws anything but its own errors', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (line, more) => {
        const result = caught(() => parseWfdbHeader(`r 1 500 10\nr.dat ${line}\n${more}`, 'r'))
        expect(result instanceof Error ? result.name : 'HintedError').toBe('HintedError')
      }),
    )
  })
})

describe('decodeWfdb', () => {
  // Formats by hand: samples 1, -2, 3 (as one signal).
  test.for([
    { format: '8', bytes: [0, 0xfd, 5], initial: 1 },
    { format: '16', bytes: [1, 0, 0xfe, 0xff, 3, 0] },
    { format: '24', bytes: [1, 0, 0, 0xfe, 0xff, 0xff, 3, 0, 0] },
    { format: '32', bytes: [1, 0, 0, 0, 0xfe, 0xff, 0xff, 0xff, 3, 0, 0, 0] },
    { format: '61', bytes: [0, 1, 0xff, 0xfe, 0, 3] },
    { format: '80', bytes: [129, 126, 131] },
    { format: '160', bytes: [1, 0x80, 0xfe, 0x7f, 3, 0x80] },
    { format: '212', bytes: [0x01, 0xf0, 0xfe, 0x03, 0x00] },
    { format: '310', bytes: [0x02, 0x18, 0xfc, 0x07] },
    { format: '311', bytes: [0x01, 0xf8, 0x3f, 0x00] },
  ])('unpacks format $format', ({ format, bytes, initial }) => {
    const header = `r 1 500 3\nr.dat ${format} 200 12 0 ${initial ?? 0}`
    expect([...decode(header, { 'r.dat': Uint8Array.from(bytes) }).signals[0]!.digital]).toEqual([1, -2, 3])
  })

  test('takes samples apart by frame, undoes skew and pads with missing samples', () => {
    const samples = Int16Array.from([1, 2, 10, 3, 4, 20, 5, 6, 30])
    const record = decode('r 2 100 3\nr.dat 16x2 1\nr.dat 16:1 1', { 'r.dat': new Uint8Array(samples.buffer) })
    expect([...record.signals[0]!.digital]).toEqual([1, 2, 3, 4, 5, 6])
    expect(record.signals[0]!.samplingRateHz).toBe(200)
    expect([...physicalSignal(record.signals[1]!)]).toEqual([20, 30, Number.NaN])
    expect([...smoothFrames(record).signals[0]!.digital]).toEqual([1, 3, 5])
  })

  test('uses bytes at any offset of a larger buffer', () => {
    const padded = Uint8Array.from([9, 1, 0, 2, 0]).subarray(1)
    expect([...decode('r 1 500 2\nr.dat 16', { 'r.dat': padded }).signals[0]!.digital]).toEqual([1, 2])
  })

  test('takes the length from the file when the header has none', () => {
    expect(decode('r 2\nr.dat 16\nr.dat 16', { 'r.dat': new Uint8Array(40) }).frames).toBe(10)
  })

  test('warns about a wrong checksum', () => {
    const warnings = decode('r 1 500 1\nr.dat 16 200 16 0 5 6 0 I', { 'r.dat': Uint8Array.from([5, 0]) }).warnings
    expect(warnings).toEqual(['signal 0 does not match the checksum of its header'])
  })

  test.for([
    { name: 'a missing file', header: 'r 1 500 10\nr.dat 16', bytes: undefined, want: 'WFDB_FILE_MISSING' },
    { name: 'a truncated file', header: 'r 1 500 10\nr.dat 16', bytes: 19, want: 'WFDB_TRUNCATED' },
    {
      name: 'a length far beyond the file',
      header: 'r 1 500 900000000000\nr.dat 16',
      bytes: 20,
      want: 'WFDB_TRUNCATED',
    },
    { name: 'an offset beyond the file', header: 'r 1 500 1\nr.dat 16+500', bytes: 20, want: 'WFDB_TRUNCATED' },
    { name: 'a claim without bytes behind it', header: 'r 1 500 900000000000\n~ 16', bytes: 0, want: 'WFDB_TOO_LARGE' },
    { name: 'two formats in a file', header: 'r 2 500 1\nr.dat 16\nr.dat 80', bytes: 20, want: 'WFDB_BAD_HEADER' },
    { name: 'a FLAC stream that is none', header: 'r 1 500 1\nr.dat 516', bytes: 80, want: 'WFDB_BAD_FLAC' },
    { name: 'an empty file without a length', header: 'r 1\nr.dat 16', bytes: 0, want: 'WFDB_BAD_HEADER' },
  ])('refuses $name', ({ header, bytes, want }) => {
    const files: Record<string, Uint8Array> = bytes === undefined ? {} : { 'r.dat': new Uint8Array(bytes) }
    expect(caught(() => decode(header, files))).toEqual(withCode(want))
  })
})

describe('joinSegments', () => {
  test('joins signals by name, converts another calibration and leaves gaps missing', () => {
    const a = segment('a', '$ 2 100 2\n$.dat 16 100 16 0 0 0 0 I\n$.dat 16 100 16 0 0 0 0 II', [1, 2, 3, 4])
    const b = segment('b', '$ 1 100 1\n$.dat 16 200(10) 16 0 0 0 0 II', [20])
    const master = parseWfdbHeader('m/3 2 100 4\na 2\n~ 1\nb 1', 'm')
    const joined = joinSegments(master, [{ ...a, warnings: [] }, undefined, { ...b, warnings: [] }])
    expect(joined.signals.map(signal => [...physicalSignal(signal)])).toEqual([
      [0.01, 0.03, Number.NaN, Number.NaN],
      [0.02, 0.04, Number.NaN, 0.05],
    ])
  })

  test.for([
    { name: 'lengths that do not add up', text: 'm/1 1 100 5\na 2', want: 'WFDB_BAD_HEADER' },
    { name: 'a segment of another length', text: 'm/1 1 100 3\na 3', want: 'WFDB_BAD_HEADER' },
    { name: 'a gap without end', text: 'm/2 1 100\na 2\n~ 9000000000', want: 'WFDB_TOO_LARGE' },
  ])('refuses $name', ({ text, want }) => {
    const a = segment('a', '$ 1 100 2\n$.dat 16 100 16 0 0 0 0 I', [1, 2])
    expect(caught(() => joinSegments(parseWfdbHeader(text, 'm'), [a, undefined]))).toEqual(withCode(want))
  })
})

describe('encodeWfdb', () => {
  test('writes what the reader reads', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: -32767, max: 32767 }), fc.integer({ min: -32767, max: 32767 })), {
          minLength: 1,
        }),
        rows => {
          const signals = ['I', 'II'].map((name, c) => ({
            name,
            gain: 1000,
            digital: Int16Array.from(rows, row => row[c]!),
          }))
          const { hea, dat } = encodeWfdb({ record: 'r', samplingRateHz: 500, signals, comments: ['Dx: 1'] })
          const record = decode(hea, { 'r.dat': dat })
          expect(record.warnings).toEqual([])
          expect(record.comments).toEqual(['Dx: 1'])
          expect(record.signals.map(signal => [...signal.digital])).toEqual(signals.map(signal => [...signal.digital]))
        },
      ),
    )
  })

  test.for([
    { name: 'a name with a path', record: '../x', lengths: [1], gain: 1 },
    { name: 'signals of different lengths', record: 'r', lengths: [1, 2], gain: 1 },
    { name: 'no sample', record: 'r', lengths: [0], gain: 1 },
    { name: 'a gain of zero', record: 'r', lengths: [1], gain: 0 },
  ])('refuses $name', ({ record, lengths, gain }) => {
    const signals = lengths.map(length => ({ name: 'I', gain, digital: new Int16Array(length) }))
    expect(caught(() => encodeWfdb({ record, samplingRateHz: 500, signals }))).toEqual(withCode('WFDB_BAD_SIGNAL'))
  })
})

import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { parseWfdbHeader } from './header.ts'
import { packers, type WritableFormat } from './pack.ts'
import { decodeWfdb } from './record.ts'
import { encodeWfdb } from './write.ts'

const formats = Object.keys(packers) as WritableFormat[] // its own keys

/** Samples over the whole range of a format, but its lowest value, which means missing; small steps for format 8. */
function samplesOf(format: WritableFormat, count: number, channel: number): Int32Array {
  const highest = format === '8' ? 1000 : 2 ** (packers[format].bits - 1) - 1
  const step = format === '8' ? 97 : highest / 3.7
  return Int32Array.from({ length: count }, (_, i) => Math.round(highest * Math.sin(((i + channel) * step) / highest)))
}

describe('encodeWfdb', () => {
  test.for(formats.flatMap(format => [1, 2, 3, 7, 100].map(count => ({ format, count }))))(
    'format $format, $count samples of two signals: the reader gives them back',
    ({ format, count }) => {
      const signals = ['I', 'V1'].map((name, c) => ({
        name,
        gain: 200,
        baseline: c,
        digital: samplesOf(format, count, c),
      }))
      const { hea, dat } = encodeWfdb({ record: 'r', samplingRateHz: 250, signals, format })
      const read = decodeWfdb(parseWfdbHeader(hea, 'r'), new Map([['r.dat', dat]]))
      expect(read.signals.map(signal => [...signal.digital])).toEqual(signals.map(signal => [...signal.digital]))
      expect(read.warnings).toEqual([])
    },
  )

  test.for([
    { format: '212', sample: 2048 },
    { format: '80', sample: -129 },
    { format: '8', sample: 200 },
    { format: '310', sample: 512 },
    { format: '24', sample: 2 ** 23 },
  ] as const)('format $format refuses a sample of $sample', ({ format, sample }) => {
    const signals = [{ name: 'I', gain: 200, digital: Int32Array.of(0, sample) }]
    expect(() => encodeWfdb({ record: 'r', samplingRateHz: 250, signals, format })).toThrow(
      expect.objectContaining({ code: 'WFDB_BAD_SIGNAL' }),
    )
  })
})

test('the folder stands alone: sources import nothing outside it but the error package and Node', () => {
  const folder = import.meta.dirname
  const sources = readdirSync(folder).filter(name => name.endsWith('.ts') && !name.endsWith('.test.ts'))
  const imported = sources.flatMap(name =>
    [...readFileSync(path.join(folder, name), 'utf8').matchAll(/from '([^']+)'/g)].map(match => match[1]!),
  )
  const outside = imported.filter(from => !from.startsWith('./') && !from.startsWith('node:'))
  expect(new Set(outside)).toEqual(new Set(['@qoq-med/errors']))
})

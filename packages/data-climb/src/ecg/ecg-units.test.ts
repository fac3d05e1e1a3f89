import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ecgRecording } from './ecg-recording.ts'
import { millivoltsPerUnit } from './ecg-units.ts'
import { readWfdb } from './wfdb-file.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'qoq-units-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** A gain field, and how many digital units a millivolt has by it. */
const spellings = [
  { field: '1000(0)/mV', perMv: 1000 },
  { field: '1000/MV', perMv: 1000 },
  { field: '1000', perMv: 1000 },
  { field: '1000/', perMv: 1000 },
  { field: '1/uV', perMv: 1000 },
  { field: '1/UV', perMv: 1000 },
  { field: '1(0)/\u00B5V', perMv: 1000 },
  { field: '1/\u03BCV', perMv: 1000 },
  { field: '1/\u00C2\u00B5V', perMv: 1000 },
  { field: '1/microvolts', perMv: 1000 },
  { field: '1000000/V', perMv: 1000 },
  { field: '1e6/volt', perMv: 1000 },
  { field: '0.001/nV', perMv: 1000 },
  { field: '+1000(0)/mV', perMv: 1000 },
  { field: '1000(0.0)/mV', perMv: 1000 },
  { field: '1000.(+0)/mV', perMv: 1000 },
  { field: '1000mV', perMv: 1000 },
  { field: '1(0)\u00B5V', perMv: 1000 },
  { field: '.5/uV', perMv: 500 },
  { field: '0/mV', perMv: 200 },
]

const encodings = {
  'UTF-8': (text: string) => Buffer.from(text),
  'UTF-8 with a mark': (text: string) => Buffer.from(`\uFEFF${text}`),
  'Latin-1': (text: string) => Buffer.from(text, 'latin1'),
}

const table = spellings.flatMap(({ field, perMv }) =>
  Object.entries(encodings).flatMap(([encoding, encode]) =>
    encoding === 'Latin-1' && field.includes('\u03BC') ? [] : [{ field, perMv, encoding, encode }],
  ),
)

async function write(fields: readonly string[], encode: (text: string) => Buffer): Promise<string> {
  const names = ['I', 'II', 'III', 'aVR', 'aVL', 'aVF', 'V1', 'V2', 'V3', 'V4', 'V5', 'V6'].slice(0, fields.length)
  const lines = fields.map((field, i) => `r.dat 16 ${field} 16 0 0 0 0 ${names[i]}`)
  await writeFile(path.join(folder, 'r.hea'), encode(`r ${fields.length} 500 100\n${lines.join('\n')}\n`))
  const digital = Int16Array.from({ length: 100 * fields.length }, () => 500)
  await writeFile(path.join(folder, 'r.dat'), new Uint8Array(digital.buffer))
  return path.join(folder, 'r')
}

describe('units of a WFDB header', () => {
  test.for(table)('$field in $encoding', async ({ field, perMv, encode }) => {
    const { leads, signalMv } = ecgRecording(await readWfdb(await write([field], encode)))
    expect(leads).toEqual(['I'])
    expect(signalMv[0]![0]).toBeCloseTo(500 / perMv, 6)
  })

  test('mixed spellings keep all twelve leads', async () => {
    const fields = [...Array<string>(6).fill('1/\u00B5V'), ...Array<string>(6).fill('1/uV')]
    const { leads, signalMv } = ecgRecording(await readWfdb(await write(fields, encodings['Latin-1'])))
    expect(leads.length).toBe(12)
    expect(signalMv.map(lead => lead[0])).toEqual(Array(12).fill(0.5))
  })

  test('a lead in another unit is refused, not dropped', async () => {
    const fields = [...Array<string>(8).fill('1000/mV'), ...Array<string>(4).fill('223.15/l/min')]
    const record = await readWfdb(await write(fields, encodings['UTF-8']))
    expect(record.signals[8]!.units).toBe('l/min')
    expect(() => ecgRecording(record)).toThrow(expect.objectContaining({ code: 'DATA_LEAD_UNIT_UNKNOWN' }))
  })

  test.for([
    'xyz/mV',
    'nan/mV',
    'inf',
    '0x10/mV',
    '1,000/mV',
    '1000kg',
    '1000(0',
    '1000mVx',
    '1000()/mV',
    '1000(0.5)/mV',
    '1000(x)/mV',
    '--5/mV',
    '1e/mV',
    '1e999',
    '(0)/mV',
    '/mV',
    '.',
    '1000.0.0',
    '\u0661\u0660/mV',
    'I',
    '1000 (0)/mV',
  ])('%s is refused, never a gain of 200', async field => {
    const record = await write([field], encodings['UTF-8'])
    await expect(readWfdb(record)).rejects.toMatchObject({ code: 'WFDB_BAD_HEADER' })
  })

  test.for(['16.5 0 0 0 0 I', '16 0.5 0 0 0 I', '16 0 0 1.5 0 I'])('%s is refused after the gain', async rest => {
    const record = await write([`1000/mV ${rest} #`], encodings['UTF-8'])
    await expect(readWfdb(record)).rejects.toMatchObject({ code: 'WFDB_BAD_HEADER' })
  })
})

describe('millivoltsPerUnit', () => {
  test.for(['mmHg', 'l/min', 'NU', '', 'mA', 'mVs', 'mV/s', 'kV', 'pm', '%', '__proto__', 'constructor'])(
    '%s is no voltage',
    unit => {
      expect(millivoltsPerUnit(unit)).toBeUndefined()
    },
  )
})

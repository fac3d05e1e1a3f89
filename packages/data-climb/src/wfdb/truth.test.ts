import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { realFile, truthTable, whySkipped } from '../shared.testing.ts'
import { readWfdb } from '../ecg/wfdb-file.ts'
import { readMat } from './mat-file.ts'
import { physicalSignal, smoothFrames } from './physical.ts'
import type { WfdbRecord } from './record.ts'

interface WfdbTruth {
  readonly error?: string
  readonly fs: number
  readonly sig_name: readonly string[]
  readonly units: readonly string[]
  readonly adc_gain: readonly number[]
  readonly baseline: readonly number[]
  readonly comments: readonly string[]
  readonly digital_int32_le_samples_by_leads_sha256: string
  readonly physical_mean: readonly number[]
  readonly nan_count: number
}

interface MatTruth {
  readonly mat_version: number
  readonly shape: readonly number[]
  readonly dtype: string
  readonly int16_le_row_major_sha256?: string
  readonly float64_le_row_major_sha256?: string
}

const sha256 = (array: Int32Array | Int16Array | Float64Array) =>
  createHash('sha256')
    .update(new Uint8Array(array.buffer, array.byteOffset, array.byteLength))
    .digest('hex')

function interleaved(record: WfdbRecord): Int32Array {
  const width = record.signals.length
  const all = new Int32Array(record.frames * width)
  for (const [c, { digital }] of record.signals.entries())
    for (let i = 0; i < record.frames; i++) all[i * width + c] = digital[i]!
  return all
}

const finiteMean = (values: Float64Array) => {
  const finite = values.filter(value => !Number.isNaN(value))
  return finite.reduce((sum, value) => sum + value, 0) / finite.length
}

describe(`readWfdb against wfdb-python${whySkipped}`, () => {
  test.skipIf(whySkipped !== '')('covers the real records', () => {
    expect(truthTable('wfdb').length).toBe(47)
  })

  test.skipIf(whySkipped !== '').for(truthTable<WfdbTruth>('wfdb').filter(([, truth]) => truth.error === undefined))(
    '%s',
    async ([file, truth]) => {
      const record = smoothFrames(await readWfdb(realFile(file)))
      expect(sha256(interleaved(record))).toBe(truth.digital_int32_le_samples_by_leads_sha256)
      expect(record.frameRateHz).toBe(truth.fs)
      expect(record.signals.map(signal => signal.name)).toEqual(truth.sig_name)
      expect(record.signals.map(signal => signal.units)).toEqual(truth.units)
      expect(record.signals.map(signal => signal.gain)).toEqual(truth.adc_gain)
      expect(record.signals.map(signal => signal.baseline)).toEqual(truth.baseline)
      expect(record.comments).toEqual(truth.comments)
      const physical = record.signals.map(physicalSignal)
      expect(physical.reduce((sum, values) => sum + values.filter(Number.isNaN).length, 0)).toBe(truth.nan_count)
      for (const [i, values] of physical.entries()) expect(finiteMean(values)).toBeCloseTo(truth.physical_mean[i]!, 9)
      expect(record.warnings).toEqual([])
    },
  )

  test.skipIf(whySkipped !== '')(
    'reads the 2020 header that wfdb-python refuses, and says what it tolerated',
    async () => {
      const record = await readWfdb(realFile('ecg-georgia/WFDB_Ga/E00666.hea'))
      expect(record.record).toBe('E00666')
      expect(record.signals.map(signal => signal.digital[0])).toEqual([
        -39, 29, 68, 4, -53, 48, 107, -29, 48, -58, -48, 19,
      ])
      expect(record.warnings).toEqual(['the record name carries a file suffix, which was dropped'])
    },
  )
})

describe(`readMat against scipy${whySkipped}`, () => {
  test.skipIf(whySkipped !== '').for(truthTable<MatTruth>('mat'))('%s', ([file, truth]) => {
    const matrix = readMat(readFileSync(realFile(file)))
    expect([matrix.level, matrix.dtype]).toEqual([truth.mat_version, truth.dtype])
    expect(matrix.shape).toEqual(truth.shape)
    const stored = truth.dtype === 'int16' ? Int16Array.from(matrix.values) : matrix.values
    expect(sha256(stored)).toBe(truth.int16_le_row_major_sha256 ?? truth.float64_le_row_major_sha256)
  })
})

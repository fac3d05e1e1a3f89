import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import {
  fixturePath,
  maxAbsDifference,
  oraclePath,
  oracles,
  readJson,
  readSafetensors,
} from '../../test/oracle-files.ts'
import { jepaLeads, preprocessEcg, releaseWindow, type EcgRecording } from './preprocess-ecg.ts'

interface Header {
  fs: number
  sig_name: string[]
  fmt: string[]
  adc_gain: number[]
  baseline: number[]
  outputs: string[]
}

function physical(digital: ArrayLike<number>, { fs, sig_name, adc_gain, baseline }: Header): EcgRecording {
  const channels = sig_name.length
  const signalMv = sig_name.map((_name, lead) =>
    Float32Array.from(
      { length: digital.length / channels },
      (_, i) => (digital[i * channels + lead]! - baseline[lead]!) / adc_gain[lead]!,
    ),
  )
  return { leads: sig_name, samplingRateHz: fs, signalMv }
}

function signed12(value: number): number {
  return value > 2047 ? value - 4096 : value
}

/** Digital samples of a WFDB signal file of one of the oracle's formats. */
function digitalSamples(bytes: Buffer, format: string): number[] {
  const every = (step: number, read: (at: number) => number): number[] =>
    Array.from({ length: Math.floor(bytes.length / step) }, (_, i) => read(i * step))
  const readers: Record<string, () => number[]> = {
    16: () => every(2, at => bytes.readInt16LE(at)),
    24: () => every(3, at => bytes.readIntLE(at, 3)),
    32: () => every(4, at => bytes.readInt32LE(at)),
    80: () => every(1, at => bytes[at]! - 128),
    212: () =>
      every(3, at => at).flatMap(at => [
        signed12(bytes[at]! | ((bytes[at + 1]! & 15) << 8)),
        signed12(bytes[at + 2]! | ((bytes[at + 1]! >> 4) << 8)),
      ]),
  }
  return readers[format]!()
}

function peak(values: Float32Array): number {
  return values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0)
}

function recording(changes: Partial<EcgRecording> = {}): EcgRecording {
  const signalMv = jepaLeads.map((_name, lead) =>
    Float32Array.from({ length: 5000 }, (_, i) => Math.sin(i / 50 + lead)),
  )
  return { leads: jepaLeads, samplingRateHz: 500, signalMv, ...changes }
}

const outputs = [
  ['jepa_official_10s_250hz', {}],
  ['qoq_process_time_series', { window: releaseWindow }],
] as const

describe('preprocessEcg', () => {
  test('equals the official and the released code on a 257 Hz record, kept copy', () => {
    const file = readSafetensors(fixturePath('ecg-preprocess.safetensors'))
    const header = readJson(fixturePath('ecg-preprocess.json')) as Header
    const record = physical(file.i16('digital').data, header)
    for (const [name, options] of [
      ['jepa', {}],
      ['release', { window: releaseWindow }],
    ] as const) {
      const want = file.f32(name) // every fifth sample
      const got = preprocessEcg(record, options).signalMv.filter((_, i) => i % 5 === 0)
      expect(maxAbsDifference(got, want.data)).toBeLessThan(1e-5 * peak(want.data))
    }
  })

  test.skipIf(!oracles.present)(`equals the official and the released code on every record${oracles.why}`, () => {
    const { records } = readJson(oraclePath('ecg/preprocess.json')) as { records: Record<string, Header> }
    const file = readSafetensors(oraclePath('ecg/preprocess.safetensors'))
    expect(Object.keys(records).length).toBe(6)
    for (const [name, header] of Object.entries(records)) {
      const bytes = readFileSync(oraclePath(`ecg/${name}.dat`))
      const record = physical(digitalSamples(bytes, header.fmt[0]!), header)
      for (const [output, options] of outputs) {
        if (!header.outputs.includes(output)) continue
        const want = file.f32(`${name}/${output}`).data
        expect(maxAbsDifference(preprocessEcg(record, options).signalMv, want)).toBeLessThan(1e-5 * peak(want))
      }
    }
  })

  test('finds leads by name, whatever their order and case', () => {
    const { leads, signalMv } = recording()
    const shuffled = recording({
      leads: ['aVR', ...leads.map(lead => lead.toLowerCase()).toReversed()],
      signalMv: [new Float32Array(5000), ...signalMv.toReversed()],
    })
    expect(preprocessEcg(shuffled)).toEqual(preprocessEcg(recording()))
  })

  test('pads a short recording with zeros after resampling', () => {
    const short = recording({ signalMv: jepaLeads.map(() => new Float32Array(1500).fill(0.5)) })
    const { signalMv } = preprocessEcg(short)
    expect(signalMv.length).toBe(8 * 2500)
    expect(signalMv.slice(0, 750).every(value => Math.abs(value - 0.5) < 1e-6)).toBe(true)
    expect(signalMv.slice(750, 2500).every(value => value === 0)).toBe(true)
  })

  test('fills a missing lead with zeros only when asked', () => {
    const seven = recording({ leads: jepaLeads.slice(0, 7), signalMv: recording().signalMv.slice(0, 7) })
    expect(() => preprocessEcg(seven)).toThrow(expect.objectContaining({ code: 'ENCODERS_ECG_LEAD_MISSING' }))
    const got = preprocessEcg(seven, { missingLeads: 'zero' })
    expect(got.missingLeads).toEqual(['V6'])
    expect(got.signalMv.slice(7 * 2500).every(value => value === 0)).toBe(true)
    expect(got.signalMv.slice(0, 7 * 2500)).toEqual(preprocessEcg(recording()).signalMv.slice(0, 7 * 2500))
  })

  const gap = recording().signalMv.map(signal => signal.with(1234, NaN))
  test.for([
    { name: 'a sample that is not a number', change: { signalMv: gap }, code: 'ENCODERS_ECG_NOT_FINITE' },
    {
      name: 'a lead twice',
      change: { leads: ['I', 'II', 'V1', 'V2', 'V3', 'V4', 'V5', 'v5'] },
      code: 'ENCODERS_ECG_LEAD_TWICE',
    },
    {
      name: 'signals of two lengths',
      change: { signalMv: gap.map((s, i) => s.slice(i)) },
      code: 'ENCODERS_ECG_LEAD_LENGTHS',
    },
    {
      name: 'empty signals',
      change: { signalMv: gap.map(() => new Float32Array(0)) },
      code: 'ENCODERS_ECG_LEAD_LENGTHS',
    },
    { name: 'a rate of zero', change: { samplingRateHz: 0 }, code: 'ENCODERS_ECG_SAMPLING_RATE' },
    { name: 'a rate that is not a number', change: { samplingRateHz: NaN }, code: 'ENCODERS_ECG_SAMPLING_RATE' },
    {
      name: 'a rate that makes it endless',
      change: { signalMv: gap.map(() => new Float32Array(20_000)), samplingRateHz: 1 },
      code: 'ENCODERS_ECG_TOO_LONG',
    },
  ])('refuses $name', ({ change, code }) => {
    expect(() => preprocessEcg(recording(change))).toThrow(expect.objectContaining({ code }))
  })
})

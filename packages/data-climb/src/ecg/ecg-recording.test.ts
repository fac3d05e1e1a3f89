import { describe, expect, test } from 'vitest'
import { ecgRecording } from './ecg-recording.ts'
import type { WfdbSignal } from '../wfdb/record.ts'

const signal = (change: Partial<WfdbSignal>): WfdbSignal => ({
  name: 'I',
  units: 'mV',
  gain: 1000,
  baseline: 0,
  samplesPerFrame: 1,
  samplingRateHz: 500,
  digital: Int32Array.from({ length: 100 }, (_, i) => i),
  missing: -32768,
  ...change,
})
const record = (...signals: WfdbSignal[]) => ({
  record: 'r',
  frameRateHz: 500,
  frames: 100,
  signals,
  comments: [],
  warnings: [],
})

describe('ecgRecording', () => {
  test.for([
    { units: 'mV', want: 0.099 },
    { units: 'mv', want: 0.099 },
    { units: 'uV', want: 0.000_099 },
    { units: 'µV', want: 0.000_099 },
    { units: 'V', want: 99 },
  ])('converts $units to millivolts', ({ units, want }) => {
    expect(ecgRecording(record(signal({ units }))).signalMv[0]![99]).toBeCloseTo(want, 6)
  })

  test('keeps leads in volts, in the usual spelling, and leaves pressure out', () => {
    const { leads } = ecgRecording(
      record(signal({ name: 'AVR' }), signal({ name: 'ABP', units: 'mmHg' }), signal({ name: 'v6' })),
    )
    expect(leads).toEqual(['aVR', 'V6'])
  })

  test('bridges short gaps by straight lines, also at the ends', () => {
    const digital = Int32Array.from({ length: 100 }, (_, i) => i)
    for (const i of [0, 50, 51, 99]) digital[i] = -32768
    const [lead] = ecgRecording(record(signal({ digital }))).signalMv
    expect([0, 49, 50, 51, 52, 99].map(i => Math.round(lead![i]! * 1000))).toEqual([1, 49, 50, 51, 52, 98])
  })

  test.for([
    { names: ['I', 'II', 'V1'], derived: ['III', 'aVR', 'aVL', 'aVF'] },
    { names: ['II', 'I', 'aVR', 'aVF'], derived: ['III', 'aVL'] },
    { names: ['I', 'II', 'III', 'AVR', 'AVL', 'AVF'], derived: [] },
    { names: ['II', 'V1'], derived: [] },
  ])('computes $derived from $names', ({ names, derived }) => {
    const [one, two] = [300, -500]
    const digital = (name: string) => new Int32Array(100).fill(name === 'I' ? one : name === 'II' ? two : 1)
    const recording = ecgRecording(record(...names.map(name => signal({ name, digital: digital(name) }))))
    expect(recording.leads.slice(names.length)).toEqual(derived)
    // Einthoven and Goldberger, in millivolts: I = 0.3, II = -0.5.
    const want: Record<string, number> = { III: -0.8, aVR: 0.1, aVL: 0.55, aVF: -0.65 }
    for (const lead of derived)
      expect(recording.signalMv[recording.leads.indexOf(lead)]![7]).toBeCloseTo(want[lead]!, 6)
    expect(recording.warnings?.length).toBe(derived.length > 0 ? 1 : 0)
  })

  test.for([
    { name: 'MDC_ECG_LEAD_AVR', want: 'aVR' },
    { name: 'Lead V1', want: 'V1' },
    { name: 'ECG II', want: 'II' },
    { name: 'Lead aVF (Goldberger)', want: 'aVF' },
    { name: 'lead_iii', want: 'III' },
    { name: ' avl ', want: 'aVL' },
    { name: 'V3R', want: 'V3R' },
    { name: '-aVR', want: '-aVR' },
    { name: 'constructor', want: 'constructor' },
  ])('calls $name $want', ({ name, want }) => {
    expect(ecgRecording(record(signal({ name }))).leads).toEqual([want])
  })

  test('names no lead of its own in an error', () => {
    const digital = new Int32Array(100).fill(-32768)
    expect(() => ecgRecording(record(signal({ name: 'Jane Doe', digital })))).toThrow(
      expect.objectContaining({ code: 'DATA_LEAD_INCOMPLETE', message: expect.not.stringContaining('Jane') as string }),
    )
  })

  test('cuts to the first seconds', () => {
    expect(ecgRecording(record(signal({})), { maxSeconds: 0.1 }).signalMv[0]!.length).toBe(50)
  })

  test.for([
    { name: 'a record without volts', signals: [signal({ units: 'NU' })], want: 'DATA_LEADS_MISSING' },
    {
      name: 'a lead in another unit beside one in volts',
      signals: [signal({}), signal({ name: 'II', units: 'l/min' })],
      want: 'DATA_LEAD_UNIT_UNKNOWN',
    },
    { name: 'leads of two rates', signals: [signal({}), signal({ samplingRateHz: 250 })], want: 'DATA_LEADS_DIFFER' },
    {
      name: 'a lead with long gaps',
      signals: [signal({ digital: new Int32Array(100).fill(-32768, 0, 6) })],
      want: 'DATA_LEAD_INCOMPLETE',
    },
  ])('refuses $name', ({ signals, want }) => {
    expect(() => ecgRecording(record(...signals))).toThrow(expect.objectContaining({ code: want }))
  })
})

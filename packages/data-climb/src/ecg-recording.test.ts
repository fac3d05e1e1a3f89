import { describe, expect, test } from 'vitest'
import { ecgRecording } from './ecg-recording.ts'
import type { WfdbSignal } from './wfdb/record.ts'

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

  test('cuts to the first seconds', () => {
    expect(ecgRecording(record(signal({})), { maxSeconds: 0.1 }).signalMv[0]!.length).toBe(50)
  })

  test.for([
    { name: 'a record without volts', signals: [signal({ units: 'NU' })], want: 'DATA_LEADS_MISSING' },
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

import { dataErrors } from './errors.ts'
import type { EcgRecording } from './sample.ts'
import type { WfdbRecord, WfdbSignal } from './wfdb/record.ts'

const millivolts: Readonly<Record<string, number>> = { v: 1000, mv: 1, uv: 0.001, µv: 0.001, nv: 0.000_001 }
const standardLeads = ['I', 'II', 'III', 'aVR', 'aVL', 'aVF', 'V1', 'V2', 'V3', 'V4', 'V5', 'V6'] as const
const leadSpellings = new Map(standardLeads.map(lead => [lead.toLowerCase(), lead as string]))

/** Samples a lead may miss before the recording is refused; shorter gaps are bridged by straight lines. */
const maxMissingFraction = 0.05

/**
 * Takes the leads in volts from a WFDB record: names in the usual spelling (`AVR` becomes `aVR`), values in millivolts,
 * short gaps bridged by straight lines.
 *
 * @param maxSeconds keeps the first part of a longer recording
 * @throws DATA_LEADS_MISSING, DATA_LEADS_DIFFER, DATA_LEAD_INCOMPLETE
 */
export function ecgRecording(
  record: WfdbRecord,
  { maxSeconds = Infinity }: { readonly maxSeconds?: number } = {},
): EcgRecording {
  const signals = record.signals.filter(signal => signal.units.toLowerCase() in millivolts)
  const [first] = signals
  if (!first)
    throw dataErrors.LEADS_MISSING({ record: record.record, found: record.signals.map(signal => signal.name) })
  const samplingRateHz = first.samplingRateHz
  if (signals.some(signal => signal.samplingRateHz !== samplingRateHz))
    throw dataErrors.LEADS_DIFFER({ record: record.record, ratesHz: signals.map(signal => signal.samplingRateHz) })
  const length = Math.min(first.digital.length, Math.round(maxSeconds * samplingRateHz))
  return {
    leads: signals.map(signal => leadSpellings.get(signal.name.toLowerCase()) ?? signal.name),
    samplingRateHz,
    signalMv: signals.map(signal => leadMv(signal, length, record.record)),
  }
}

function leadMv(signal: WfdbSignal, length: number, record: string): Float32Array {
  const { digital, baseline, missing } = signal
  const mvPerUnit = (millivolts[signal.units.toLowerCase()] ?? 1) / signal.gain
  const lead = new Float32Array(length)
  let absent = 0
  for (let i = 0; i < length; i++) {
    const sample = digital[i]! // bounded by the loop
    if (sample === missing) absent++
    lead[i] = sample === missing ? Number.NaN : (sample - baseline) * mvPerUnit
  }
  if (absent > length * maxMissingFraction)
    throw dataErrors.LEAD_INCOMPLETE({ record, lead: signal.name, missing: absent, samples: length })
  if (absent > 0) bridgeGaps(lead)
  return lead
}

function bridgeGaps(lead: Float32Array): void {
  let before = -1
  for (let i = 0; i <= lead.length; i++) {
    if (i < lead.length && Number.isNaN(lead[i])) continue
    const from = lead[before] ?? lead[i] ?? 0
    const to = lead[i] ?? from
    for (let k = before + 1; k < i; k++) lead[k] = from + ((to - from) * (k - before)) / (i - before)
    before = i
  }
}

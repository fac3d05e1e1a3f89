import type { EcgRecording } from '../sample/sample.ts'
import { recordingOf, type StoredEcg } from './stored-ecg.ts'
import type { WfdbRecord } from '../wfdb/record.ts'

/**
 * Takes the leads in volts from a WFDB record: names in the usual spelling (`AVR` becomes `aVR`), values in millivolts,
 * short gaps bridged by straight lines, III, aVR, aVL and aVF computed from I and II where they are missing.
 *
 * @param maxSeconds keeps the first part of a longer recording
 * @throws DATA_LEADS_MISSING, DATA_LEAD_UNIT_UNKNOWN, DATA_LEADS_DIFFER, DATA_LEAD_INCOMPLETE
 */
export function ecgRecording(
  record: WfdbRecord,
  { maxSeconds = Infinity }: { readonly maxSeconds?: number } = {},
): EcgRecording {
  return recordingOf(storedWfdb(record), { record: record.record, maxSeconds })
}

/** A WFDB record as any other file of leads. */
export function storedWfdb({ signals, warnings }: WfdbRecord): StoredEcg {
  const leads = signals.map(({ name, units, gain, baseline, samplingRateHz, digital, missing }) => ({
    name,
    units,
    scale: 1 / gain,
    zero: baseline,
    samplingRateHz,
    samples: digital,
    missing,
  }))
  return { leads, warnings }
}

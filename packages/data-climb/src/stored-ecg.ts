import { derivedLeads, standardLead } from './ecg-leads.ts'
import { millivoltsPerUnit } from './ecg-units.ts'
import { dataErrors } from './errors.ts'
import type { EcgRecording } from './sample.ts'

/** One channel as a file stores it: physical value = (sample - zero) * scale, in `units`. */
export interface StoredLead {
  /** As the file has it. */
  readonly name: string
  readonly units: string
  /** Physical units per step of the samples. */
  readonly scale: number
  /** Sample of physical zero. */
  readonly zero: number
  readonly samplingRateHz: number
  /** [samples] as stored; NaN, or `missing`, where there is none. */
  readonly samples: Int16Array | Int32Array | Float32Array | Float64Array
  readonly missing: number | undefined
}

/** What a reader of electrocardiograms gives, whatever the format. */
export interface StoredEcg {
  readonly leads: readonly StoredLead[]
  /** What was tolerated, left out or put right, in words without patient data. */
  readonly warnings: readonly string[]
}

/** Samples a lead may miss before the recording is refused; shorter gaps are bridged by straight lines. */
const maxMissingFraction = 0.05

/**
 * Takes the leads in volts: names in the usual spelling (`AVR` becomes `aVR`), values in millivolts, short gaps bridged by
 * straight lines, III, aVR, aVL and aVF computed from I and II where they are missing.
 *
 * @param record what errors call the recording
 * @param maxSeconds keeps the first part of a longer recording
 * @throws DATA_LEADS_MISSING, DATA_LEAD_UNIT_UNKNOWN, DATA_LEADS_DIFFER, DATA_LEAD_INCOMPLETE
 */
export function recordingOf(
  { leads: channels, warnings }: StoredEcg,
  { record, maxSeconds = Infinity }: { readonly record: string; readonly maxSeconds?: number },
): EcgRecording {
  const isVolts = channels.map(({ units }) => millivoltsPerUnit(units) !== undefined)
  const used = channels.filter((_, i) => isVolts[i])
  const [first] = used
  if (!first) throw dataErrors.LEADS_MISSING({ record, channels: channels.length })
  const odd = channels.findIndex(({ name }, i) => !isVolts[i] && standardLead(name) !== undefined)
  if (odd >= 0) throw dataErrors.LEAD_UNIT_UNKNOWN({ record, lead: leadForErrors(channels[odd]!, odd) }) // found above
  const { samplingRateHz } = first
  if (used.some(lead => lead.samplingRateHz !== samplingRateHz))
    throw dataErrors.LEADS_DIFFER({ record, ratesHz: used.map(lead => lead.samplingRateHz) })
  const length = Math.min(...used.map(lead => lead.samples.length), Math.round(maxSeconds * samplingRateHz))
  const isUneven = used.some(lead => lead.samples.length !== first.samples.length)
  const stored = {
    leads: used.map(({ name }) => standardLead(name) ?? name),
    signalMv: used.map((lead, i) => leadMv(lead, { length, record, position: i })),
  }
  const derived = derivedLeads(stored)
  return {
    leads: [...stored.leads, ...derived.leads],
    samplingRateHz,
    signalMv: [...stored.signalMv, ...derived.signalMv],
    warnings: [
      ...warnings,
      ...(isUneven ? ['leads differ in length; the recording ends with the shortest'] : []),
      ...(used.length < channels.length
        ? [`${channels.length - used.length} channels are not in volts and were left out`]
        : []),
      ...(derived.leads.length > 0 ? [`${derived.leads.join(', ')} were computed from I and II`] : []),
    ],
  }
}

/** A lead by its usual name or its position: other names are a file's own words, and may say whose it is. */
function leadForErrors({ name }: StoredLead, position: number): string {
  return standardLead(name) ?? `number ${position + 1}`
}

function leadMv(
  stored: StoredLead,
  { length, record, position }: { readonly length: number; readonly record: string; readonly position: number },
): Float32Array {
  const { samples, zero, missing } = stored
  const mvPerStep = (millivoltsPerUnit(stored.units) ?? 1) * stored.scale
  const lead = new Float32Array(length)
  let absent = 0
  for (let i = 0; i < length; i++) {
    const sample = samples[i]! // bounded by the loop
    const isAbsent = sample === missing || sample !== sample // NaN differs from itself
    if (isAbsent) absent++
    lead[i] = isAbsent ? Number.NaN : (sample - zero) * mvPerStep
  }
  if (absent > length * maxMissingFraction)
    throw dataErrors.LEAD_INCOMPLETE({
      record,
      lead: leadForErrors(stored, position),
      missing: absent,
      samples: length,
    })
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

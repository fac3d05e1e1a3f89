import { derivedLeads, standardLead } from './ecg-leads.ts'
import { millivoltsPerUnit } from './ecg-units.ts'
import { dataErrors } from '../errors.ts'
import type { EcgRecording } from '../sample/sample.ts'

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
  /** As stored; NaN, or `missing`, where there is no sample. */
  readonly samples: Int16Array | Int32Array | Float32Array | Float64Array
  /** Where leads share an array: the lead's first sample, and how far apart its samples are. */
  readonly interleaved?: { readonly offset: number; readonly stride: number }
  readonly missing: number | undefined
  /** Low 16 bits of the sum of all samples, where the file says it and nobody has compared it yet. */
  readonly checksum?: number | undefined
}

/** How many samples a lead has. */
export function sampleCount({ samples, interleaved }: StoredLead): number {
  return Math.floor(samples.length / (interleaved?.stride ?? 1))
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
  const length = Math.min(...used.map(sampleCount), Math.round(maxSeconds * samplingRateHz))
  const isUneven = used.some(lead => sampleCount(lead) !== sampleCount(first))
  const read = convert(used, { length, record })
  const stored = { leads: used.map(({ name }) => standardLead(name) ?? name), signalMv: read.map(({ mv }) => mv) }
  const derived = derivedLeads(stored)
  return {
    leads: [...stored.leads, ...derived.leads],
    samplingRateHz,
    signalMv: [...stored.signalMv, ...derived.signalMv],
    warnings: [
      ...warnings,
      ...read.flatMap((lead, i) => (isIntact(lead) ? [] : [`lead ${i + 1} does not match the checksum of its header`])),
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

/** A lead as it is converted: what it became, how many samples are missing, and the sum of the stored ones. */
interface LeadInWork {
  readonly stored: StoredLead
  readonly mvPerStep: number
  readonly mv: Float32Array
  absent: number
  sum: number
}

/** Frames converted of every lead before the next: interleaved leads are read from the nearest cache, not once per lead. */
const blockFrames = 256

function convert(
  leads: readonly StoredLead[],
  { length, record }: { readonly length: number; readonly record: string },
): LeadInWork[] {
  const work = leads.map((stored): LeadInWork => {
    const mvPerStep = (millivoltsPerUnit(stored.units) ?? 1) * stored.scale
    return { stored, mvPerStep, mv: new Float32Array(length), absent: 0, sum: 0 }
  })
  for (let from = 0; from < length; from += blockFrames)
    for (const lead of work) convertBlock(lead, from, Math.min(length, from + blockFrames))
  for (const [i, { stored, mv, absent }] of work.entries()) {
    if (absent > length * maxMissingFraction)
      throw dataErrors.LEAD_INCOMPLETE({ record, lead: leadForErrors(stored, i), missing: absent, samples: length })
    if (absent > 0) bridgeGaps(mv)
  }
  return work
}

function convertBlock(lead: LeadInWork, from: number, to: number): void {
  const { mv, stored, mvPerStep } = lead
  const { samples, zero, missing, interleaved: { offset, stride } = { offset: 0, stride: 1 } } = stored
  const gap = missing ?? Number.NaN // which nothing equals
  let { absent, sum } = lead
  for (let i = from, at = offset + from * stride; i < to; i++, at += stride) {
    const sample = samples[at]! // as many as there are samples
    sum = (sum + sample) | 0
    mv[i] = (sample - zero) * mvPerStep
    // NaN differs from itself.
    if (sample === gap || sample !== sample) {
      absent++
      mv[i] = Number.NaN
    }
  }
  lead.absent = absent
  lead.sum = sum
}

/** False where the samples are not those that the file's checksum was made of; those that were cut off count too. */
function isIntact({ stored, mv, sum: converted }: LeadInWork): boolean {
  const { samples, checksum, interleaved: { offset, stride } = { offset: 0, stride: 1 } } = stored
  if (checksum === undefined) return true
  let sum = converted
  for (let at = offset + mv.length * stride; at < samples.length; at += stride) sum = (sum + samples[at]!) | 0
  return (sum & 0xffff) === checksum
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

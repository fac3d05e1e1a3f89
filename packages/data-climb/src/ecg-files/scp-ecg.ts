import { dataErrors } from '../errors.ts'
import type { StoredEcg } from '../ecg/stored-ecg.ts'
import { decodeHuffman, huffmanTables, type HuffmanTable } from './scp-huffman.ts'
import { scpLead } from './scp-leads.ts'
import { scpSections, type ScpRecord } from './scp-sections.ts'

/** One lead of section 3: its number, and its first and last sample, from 1. */
interface LeadRange {
  readonly lead: number
  readonly first: number
  readonly last: number
}

/** The leads of section 5 or 6, decoded. */
interface DecodedSection {
  /** Nanovolts per unit. */
  readonly unitNv: number
  readonly intervalUs: number
  readonly leads: readonly Int32Array[]
}

/** Sections by their numbers. */
const tablesSection = 2
const leadsSection = 3
const beatsSection = 4
const referenceSection = 5
const rhythmSection = 6
const longRhythmSection = 12
/** From this version on, a byte that told bimodal compression is reserved. */
const reservedFrom = 30
/** Marks what a lead does not cover; samples have 16 bits. */
const absent = -2147483648

/**
 * Reads the rhythm of an SCP-ECG record (EN 1064): as it is or in Huffman codes, as values, first or second differences, with
 * or without the reference beat subtracted.
 *
 * @throws DATA_ECG_INVALID, DATA_ECG_UNSUPPORTED
 */
export function readScp(file: Uint8Array): StoredEcg {
  const record = scpSections(file)
  const rhythm = record.sections.get(rhythmSection)
  if (!rhythm && record.sections.has(longRhythmSection))
    throw dataErrors.ECG_UNSUPPORTED({ what: 'SCP-ECG records with a long rhythm (section 12) alone' })
  const { ranges, isSubtracted } = leadRanges(section(record, leadsSection))
  const tables = record.sections.get(tablesSection)
  const huffman = tables && huffmanTables(tables)
  const body = section(record, rhythmSection)
  const reference = isSubtracted || isBimodal(record, body) ? referenceBeat(record, ranges.length, huffman) : undefined
  const decoded = decodeSection(body, { counts: ranges.map(({ first, last }) => last - first + 1), huffman })
  if (isBimodal(record, body) && reference?.intervalUs !== decoded.intervalUs)
    throw dataErrors.ECG_UNSUPPORTED({ what: 'SCP-ECG rhythms in bimodal compression' })
  const { unitNv, leads } = isSubtracted ? withReference(decoded, { record, ranges, reference }) : decoded
  if (unitNv === 0) throw invalid('it says no amplitude per unit')
  const start = Math.min(...ranges.map(({ first }) => first))
  const end = Math.max(...ranges.map(({ last }) => last))
  const isAligned = ranges.every(({ first, last }) => first === start && last === end)
  return {
    leads: ranges.map(({ lead, first }, i) => ({
      name: scpLead(lead),
      units: 'nV',
      scale: unitNv,
      zero: 0,
      samplingRateHz: 1e6 / decoded.intervalUs,
      samples: isAligned ? leads[i]! : placed(leads[i]!, first - start, end - start + 1), // one per range
      missing: absent,
    })),
    warnings: isAligned ? record.warnings : [...record.warnings, 'leads start or end at different times'],
  }
}

function section({ sections }: ScpRecord, number: number): DataView {
  const found = sections.get(number)
  if (!found || found.byteLength < 2) throw invalid(`section ${number} is missing or too short`)
  return found
}

function leadRanges(body: DataView): { ranges: readonly LeadRange[]; isSubtracted: boolean } {
  const count = body.getUint8(0)
  if (count === 0 || 2 + 9 * count > body.byteLength) throw invalid('it lists no leads, or fewer than it claims')
  const ranges = Array.from({ length: count }, (_, i): LeadRange => {
    const at = 2 + 9 * i
    return { first: body.getUint32(at, true), last: body.getUint32(at + 4, true), lead: body.getUint8(at + 8) }
  })
  if (ranges.some(({ first, last }) => first < 1 || last < first))
    throw invalid('a lead has an impossible range of samples')
  return { ranges, isSubtracted: (body.getUint8(1) & 1) !== 0 }
}

function isBimodal({ protocol }: ScpRecord, body: DataView): boolean {
  return protocol < reservedFrom && body.byteLength > 5 && body.getUint8(5) !== 0
}

/** Unit, interval, kind of difference, and bytes per lead; then the leads one after the other. */
function decodeSection(
  body: DataView,
  { counts, huffman }: { readonly counts: readonly number[]; readonly huffman: readonly HuffmanTable[] | undefined },
): DecodedSection {
  if (body.byteLength < 6 + 2 * counts.length) throw invalid('its samples are cut off')
  const [unitNv, intervalUs, differences] = [body.getUint16(0, true), body.getUint16(2, true), body.getUint8(4)]
  if (intervalUs === 0 || differences > 2) throw invalid('its sampling rate or its differences are impossible')
  let at = 6 + 2 * counts.length
  const leads = counts.map((count, i) => {
    const size = body.getUint16(6 + 2 * i, true)
    if (at + size > body.byteLength) throw invalid('its samples are cut off')
    const bytes = new Uint8Array(body.buffer, body.byteOffset + at, size)
    at += size
    return integrated(huffman ? decodeHuffman(bytes, count, huffman) : plainValues(bytes, count), differences)
  })
  return { unitNv, intervalUs, leads }
}

function plainValues(bytes: Uint8Array, count: number): Int32Array {
  if (count * 2 > bytes.length) throw invalid('its samples end too early')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Int32Array.from({ length: count }, (_, i) => view.getInt16(i * 2, true))
}

/** Sums first or second differences up, in place, with the overflow of 16 bits that writers have. */
function integrated(values: Int32Array, differences: number): Int32Array {
  if (differences === 1) for (let i = 1; i < values.length; i++) values[i] = as16Bits(values[i - 1]! + values[i]!)
  if (differences === 2)
    for (let i = 2; i < values.length; i++) values[i] = as16Bits(2 * values[i - 1]! - values[i - 2]! + values[i]!)
  return values
}

function as16Bits(value: number): number {
  return (value << 16) >> 16
}

/** The reference beat of section 5, whose length section 4 gives. */
function referenceBeat(
  record: ScpRecord,
  leads: number,
  huffman: readonly HuffmanTable[] | undefined,
): DecodedSection | undefined {
  const [beats, body] = [record.sections.get(beatsSection), record.sections.get(referenceSection)]
  if (!beats || !body || beats.byteLength < 6 || body.byteLength < 6) return undefined
  const samples = Math.round((beats.getUint16(0, true) * 1000) / Math.max(1, body.getUint16(2, true)))
  return samples < 1 ? undefined : decodeSection(body, { counts: Array<number>(leads).fill(samples), huffman })
}

const beatBytes = 14

/** Adds the reference beat where section 4 says that it was subtracted; both are brought to one unit. */
function withReference(
  { unitNv, intervalUs, leads }: DecodedSection,
  {
    record,
    ranges,
    reference,
  }: {
    readonly record: ScpRecord
    readonly ranges: readonly LeadRange[]
    readonly reference: DecodedSection | undefined
  },
): DecodedSection {
  const body = record.sections.get(beatsSection)
  if (!reference || !body || reference.intervalUs !== intervalUs || unitNv === 0 || reference.unitNv === 0)
    throw invalid('the reference beat that was subtracted is missing or does not fit')
  const [middle, count] = [body.getUint16(2, true), body.getUint16(4, true)]
  if (6 + count * beatBytes > body.byteLength) throw invalid('its list of beats is cut off')
  const common = greatestCommonDivisor(unitNv, reference.unitNv)
  const sums = leads.map(lead => lead.map(value => value * (unitNv / common)))
  for (let beat = 0; beat < count; beat++) {
    const at = 6 + beat * beatBytes
    if (body.getUint16(at, true) !== 0) continue // another type of beat, which was not subtracted
    const [start, fiducial, end] = [2, 6, 10].map(offset => body.getUint32(at + offset, true)) as [
      number,
      number,
      number,
    ] // three
    for (const [i, lead] of sums.entries()) {
      const { first, last } = ranges[i]! // one per lead
      const shape = reference.leads[i]! // the same
      for (
        let sample = Math.max(start, first, fiducial - middle + 1);
        sample <= Math.min(end, last, fiducial - middle + shape.length);
        sample++
      )
        lead[sample - first]! += shape[sample - 1 - fiducial + middle]! * (reference.unitNv / common)
    }
  }
  return { unitNv: common, intervalUs, leads: sums }
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b)
}

function placed(lead: Int32Array, offset: number, length: number): Int32Array {
  if (length > lead.length * 64 + 65_536) throw invalid('its leads lie too far apart')
  const whole = new Int32Array(length).fill(absent)
  whole.set(lead, offset)
  return whole
}

function invalid(problem: string): Error {
  return dataErrors.ECG_INVALID({ format: 'SCP-ECG', problem })
}

import type { DataSet } from 'dicom-parser'
import { parseDicomFile, type DicomFile } from '../dicom/dicom-file.ts'
import { standardLead } from '../ecg/ecg-leads.ts'
import { dataErrors } from '../errors.ts'
import type { StoredEcg, StoredLead } from '../ecg/stored-ecg.ts'
import { scpLead } from './scp-leads.ts'
import { numberIn } from './xml-tree.ts'

const format = 'DICOM waveform'
const maxChannels = 256
const tags = {
  waveforms: 'x54000100',
  originality: 'x003a0004',
  channels: 'x003a0005',
  samples: 'x003a0010',
  rate: 'x003a001a',
  definitions: 'x003a0200',
  label: 'x003a0203',
  source: 'x003a0208',
  sensitivity: 'x003a0210',
  units: 'x003a0211',
  correction: 'x003a0212',
  baseline: 'x003a0213',
  timeSkew: 'x003a0214',
  sampleSkew: 'x003a0215',
  allocated: 'x54001004',
  interpretation: 'x54001006',
  padding: 'x5400100a',
  data: 'x54001010',
  offset: 'x00181068',
  code: 'x00080100',
  meaning: 'x00080104',
} as const

/** Tells whether a DICOM file holds waveforms. */
export function hasWaveforms({ dataSet }: DicomFile): boolean {
  return dataSet.elements[tags.waveforms] !== undefined
}

/**
 * Reads the longest group of channels of a DICOM waveform object, such as a 12-lead ECG; groups of the same length, rate and
 * start are read as one. Others, such as median beats, are left out with a warning.
 *
 * @throws DATA_DICOM_INVALID, DATA_DICOM_UNSUPPORTED, DATA_ECG_INVALID, DATA_ECG_UNSUPPORTED
 */
export function readDicomEcg(bytes: Uint8Array): StoredEcg {
  const file = parseDicomFile(bytes)
  const items = file.dataSet.elements[tags.waveforms]?.items ?? []
  const groups = items.flatMap(({ dataSet }) => (dataSet ? [shapeOf(dataSet)] : []))
  const [longest] = groups.toSorted((a, b) => b.samples / b.rate - a.samples / a.rate || b.channels - a.channels)
  if (!longest) throw dataErrors.ECG_INVALID({ format, problem: 'it holds no waveform' })
  const together = groups.filter(
    ({ samples, rate, startMs }) => samples === longest.samples && rate === longest.rate && startMs === longest.startMs,
  )
  const isLittleEndian = file.transferSyntax.isLittleEndian
  const warnings = [...file.warnings]
  const leads = together.flatMap(group => channelsOf(group, { isLittleEndian, warnings }))
  if (together.length < groups.length) warnings.push(`${groups.length - together.length} other groups were left out`)
  return { leads, warnings }
}

interface Group {
  readonly item: DataSet
  readonly channels: number
  readonly samples: number
  readonly rate: number
  readonly startMs: number
}

function shapeOf(item: DataSet): Group {
  const [channels = 0, samples = 0] = [item.uint16(tags.channels), item.uint32(tags.samples)]
  const rate = numberIn(item.string(tags.rate)) ?? 0
  if (!(channels > 0 && channels <= maxChannels && samples > 0 && rate > 0))
    throw dataErrors.ECG_INVALID({ format, problem: 'a group says no channels, samples or sampling rate' })
  return { item, channels, samples, rate, startMs: numberIn(item.string(tags.offset)) ?? 0 }
}

/** How a sample is stored, by the interpretation and the bits that are allocated. */
const readers: ReadonlyMap<
  string,
  { readonly bytes: number; readonly get: (view: DataView, at: number, little: boolean) => number }
> = new Map([
  ['SB', { bytes: 1, get: (view, at) => view.getInt8(at) }],
  ['UB', { bytes: 1, get: (view, at) => view.getUint8(at) }],
  ['SS', { bytes: 2, get: (view, at, little) => view.getInt16(at, little) }],
  ['US', { bytes: 2, get: (view, at, little) => view.getUint16(at, little) }],
  ['SL', { bytes: 4, get: (view, at, little) => view.getInt32(at, little) }],
  ['UL', { bytes: 4, get: (view, at, little) => view.getUint32(at, little) }],
])
/** What a file that says no interpretation has. */
const usualInterpretation: ReadonlyMap<number, string> = new Map([
  [8, 'SB'],
  [16, 'SS'],
  [32, 'SL'],
])

function channelsOf(
  { item, channels, samples, rate }: Group,
  { isLittleEndian, warnings }: { readonly isLittleEndian: boolean; readonly warnings: string[] },
): StoredLead[] {
  const bits = item.uint16(tags.allocated) ?? 0
  const interpretation = item.string(tags.interpretation)?.trim() || usualInterpretation.get(bits) || ''
  const reader = readers.get(interpretation)
  if (!reader || reader.bytes * 8 !== bits)
    throw dataErrors.ECG_UNSUPPORTED({ what: `DICOM waveforms of ${bits} bits in another form than whole numbers` })
  const data = item.elements[tags.data]
  if (!data || channels * samples * reader.bytes > data.length || data.dataOffset + data.length > item.byteArray.length)
    throw dataErrors.ECG_INVALID({ format, problem: 'it has fewer samples than it claims' })
  const view = new DataView(item.byteArray.buffer, item.byteArray.byteOffset + data.dataOffset, data.length)
  const definitions = item.elements[tags.definitions]?.items ?? []
  if (definitions.length < channels)
    throw dataErrors.ECG_INVALID({ format, problem: 'it defines fewer channels than it has' })
  const missing = paddingOf(item, reader, isLittleEndian)
  const Kind = bits === 16 && interpretation === 'SS' ? Int16Array : interpretation === 'UL' ? Float64Array : Int32Array
  return definitions.slice(0, channels).map(({ dataSet }, channel) => {
    if (!dataSet) throw dataErrors.ECG_INVALID({ format, problem: `channel ${channel + 1} is not defined` })
    const own = new Kind(samples)
    for (let i = 0, at = channel * reader.bytes; i < samples; i++, at += channels * reader.bytes)
      own[i] = reader.get(view, at, isLittleEndian)
    if (isSkewed(dataSet)) warnings.push(`the skew of channel ${channel + 1} was not applied`)
    return { ...calibration(dataSet, channel), samplingRateHz: rate, samples: own, missing }
  })
}

function paddingOf(
  item: DataSet,
  { bytes, get }: { readonly bytes: number; readonly get: (view: DataView, at: number, little: boolean) => number },
  isLittleEndian: boolean,
): number | undefined {
  const element = item.elements[tags.padding]
  if (!element || element.length < bytes) return undefined
  return get(
    new DataView(item.byteArray.buffer, item.byteArray.byteOffset + element.dataOffset, bytes),
    0,
    isLittleEndian,
  )
}

function isSkewed(channel: DataSet): boolean {
  return [tags.timeSkew, tags.sampleSkew].some(tag => (numberIn(channel.string(tag)) ?? 0) !== 0)
}

/** Value = sample * sensitivity * correction + baseline, in the unit of the sensitivity. */
function calibration(channel: DataSet, position: number): Pick<StoredLead, 'name' | 'units' | 'scale' | 'zero'> {
  const sensitivity = numberIn(channel.string(tags.sensitivity))
  const scale = (sensitivity ?? 0) * (numberIn(channel.string(tags.correction)) ?? 1)
  if (scale === 0) throw dataErrors.ECG_INVALID({ format, problem: `channel ${position + 1} says no sensitivity` })
  const baseline = numberIn(channel.string(tags.baseline)) ?? 0
  const units = channel.elements[tags.units]?.items?.[0]?.dataSet?.string(tags.code)?.trim() ?? ''
  return {
    name: nameOf(channel) ?? `channel ${position + 1}`,
    units,
    scale,
    zero: baseline === 0 ? 0 : -baseline / scale,
  }
}

/** A lead by the meaning of its source, by its code (MDC `2:61`, SCP-ECG `5.6.3-9-61`), or by its label. */
function nameOf(channel: DataSet): string | undefined {
  const source = channel.elements[tags.source]?.items?.[0]?.dataSet
  const meaning = source?.string(tags.meaning)?.trim()
  const code = source?.string(tags.code)?.trim()
  const number = /^(?:2:|5\.6\.3-9-)(\d+)$/.exec(code ?? '')?.[1]
  const label = channel.string(tags.label)?.trim()
  const coded = number === undefined ? undefined : scpLead(Number(number))
  const names = [coded, meaning, label, code].filter(name => name !== undefined && name !== '')
  return names.find(name => standardLead(name ?? '') !== undefined) ?? names[0]
}

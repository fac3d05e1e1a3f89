import { crc32 } from 'node:zlib'
import { dataErrors } from '../errors.ts'
import type { StoredEcg, StoredLead } from '../ecg/stored-ecg.ts'
import { decodeBase64, int16Samples } from './sample-text.ts'
import { elementAt, elementsOf, numberIn, textAt, type XmlElement } from './xml-tree.ts'

const format = 'GE MUSE XML'

/**
 * Reads the rhythm of a GE MUSE resting ECG: base64 of 16-bit integers per lead, their worth, and the sampling rate as base
 * and exponent. MUSE stores eight leads; the limb leads between them are computed later.
 *
 * @throws DATA_ECG_INVALID
 */
export function readMuse(root: XmlElement): StoredEcg {
  const warnings: string[] = []
  const waveforms = elementsOf(root, 'Waveform')
  const rhythms = waveforms.filter(one => /^(rhythm)?$/i.test(textAt(one, 'WaveformType')))
  const [rhythm] = rhythms
  if (!rhythm) throw dataErrors.ECG_INVALID({ format, problem: 'it holds no rhythm' })
  if (rhythms.length > 1) warnings.push(`${rhythms.length - 1} other rhythms were left out`)
  const base = numberIn(textAt(rhythm, 'SampleBase'))
  const samplingRateHz = (base ?? 0) * 10 ** (numberIn(textAt(rhythm, 'SampleExponent')) ?? 0)
  if (!(samplingRateHz > 0 && Number.isFinite(samplingRateHz)))
    throw dataErrors.ECG_INVALID({ format, problem: 'it says no sampling rate' })
  const leads = elementsOf(rhythm, 'LeadData').map((data, i) =>
    leadOf(data, { samplingRateHz, number: i + 1, warnings }),
  )
  if (leads.length === 0) throw dataErrors.ECG_INVALID({ format, problem: 'it holds no lead' })
  return { leads, warnings }
}

/** Fields of a lead whose meaning is not published; they are named where they are not zero. */
const unusedFields = ['FirstSampleBaseline', 'LeadOffsetFirstSample', 'LeadTimeOffset'] as const

function leadOf(
  data: XmlElement,
  {
    samplingRateHz,
    number,
    warnings,
  }: { readonly samplingRateHz: number; readonly number: number; readonly warnings: string[] },
): StoredLead {
  const fail = (problem: string) => dataErrors.ECG_INVALID({ format, problem: `lead ${number} ${problem}` })
  const bytes = decodeBase64(textAt(data, 'WaveFormData'), format)
  if ((numberIn(textAt(data, 'LeadSampleSize')) ?? 2) !== 2) throw fail('has samples of another size than two bytes')
  const [claimedBytes, claimedSamples] = [
    numberIn(textAt(data, 'LeadByteCountTotal')),
    numberIn(textAt(data, 'LeadSampleCountTotal')),
  ]
  const isWhole = (claimedBytes ?? bytes.length) === bytes.length && bytes.length % 2 === 0
  if (!isWhole || (claimedSamples ?? bytes.length / 2) !== bytes.length / 2)
    throw fail('has another number of samples than it claims')
  const checksum = numberIn(textAt(data, 'LeadDataCRC32'))
  if (checksum !== undefined && checksum !== crc32(bytes)) warnings.push(`lead ${number} does not match its checksum`)
  for (const field of unusedFields)
    if ((numberIn(textAt(data, field)) ?? 0) !== 0) warnings.push(`${field} of lead ${number} was not applied`)
  const scale = numberIn(textAt(data, 'LeadAmplitudeUnitsPerBit'))
  if (scale === undefined || scale === 0) throw fail('says no amplitude per bit')
  return {
    name: textAt(data, 'LeadID'),
    units: elementAt(data, 'LeadAmplitudeUnits')?.text.trim() ?? '',
    scale,
    zero: 0,
    samplingRateHz,
    samples: int16Samples(bytes),
    missing: undefined,
  }
}

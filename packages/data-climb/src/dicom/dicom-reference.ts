import type { DataSet } from 'dicom-parser'
import { dataErrors } from '../errors.ts'
import { parseDicomFile } from './dicom-file.ts'
import { bytesOf, decimalValues, textValue } from './dicom-values.ts'

/** What a report on a DICOM instance must name: whose study it is, and which instance. Patient data: for the report alone. */
export interface DicomReference {
  readonly sopClassUid: string
  readonly sopInstanceUid: string
  readonly studyInstanceUid: string
  readonly seriesInstanceUid: string
  readonly modality: string
  /** Place within the series: millimetres along the normal of the slices, where the file has a position. */
  readonly placeMm: number | undefined
  /** Attributes of patient and study by tag (0xGGGGEEEE), as text; an attribute that is missing is empty. */
  readonly attributes: ReadonlyMap<number, string>
}

/** Attributes of the patient and of the study that a report of it repeats (PS3.3 C.7.1.1, C.7.2.1). */
const reportedTags = [
  0x00080020, // StudyDate
  0x00080030, // StudyTime
  0x00080050, // AccessionNumber
  0x00080090, // ReferringPhysicianName
  0x00100010, // PatientName
  0x00100020, // PatientID
  0x00100030, // PatientBirthDate
  0x00100040, // PatientSex
  0x00200010, // StudyID
] as const

/** Characters of an attribute that are kept: names and numbers are shorter. */
const maxAttributeBytes = 320
const maxUidCharacters = 64

/**
 * Reads what a report must name of a DICOM file.
 *
 * @throws DATA_DICOM_INVALID when an identifier of the instance, series or study is missing or none
 */
export function dicomReference(bytes: Uint8Array): DicomReference {
  const { dataSet } = parseDicomFile(bytes)
  const decoder = textDecoder(dataSet)
  return {
    sopClassUid: uid(dataSet, 'x00080016'),
    sopInstanceUid: uid(dataSet, 'x00080018'),
    studyInstanceUid: uid(dataSet, 'x0020000d'),
    seriesInstanceUid: uid(dataSet, 'x0020000e'),
    modality: textValue(dataSet, 'x00080060') ?? 'OT',
    placeMm: placeMm(dataSet),
    attributes: new Map(reportedTags.map(tag => [tag, attribute(dataSet, tag, decoder)])),
  }
}

function uid(dataSet: DataSet, tag: string): string {
  const text = textValue(dataSet, tag)?.replaceAll('\0', '') ?? ''
  if (!/^[0-9]+(\.[0-9]+)*$/.test(text) || text.length > maxUidCharacters)
    throw dataErrors.DICOM_INVALID({ problem: `the identifier in tag ${tag.slice(1)} is missing or none` })
  return text
}

/** The position's share along the normal of the rows and columns. */
function placeMm(dataSet: DataSet): number | undefined {
  const position = decimalValues(dataSet, 'x00200032')
  const [a = 1, b = 0, c = 0, d = 0, e = 1, f = 0] = decimalValues(dataSet, 'x00200037')
  if (position.length !== 3) return undefined
  const [x = 0, y = 0, z = 0] = position
  const place = (b * f - c * e) * x + (c * d - a * f) * y + (a * e - b * d) * z
  return Number.isFinite(place) ? place : undefined
}

function attribute(dataSet: DataSet, tag: number, decoder: Decoder): string {
  const bytes = bytesOf(dataSet, `x${tag.toString(16).padStart(8, '0')}`)?.subarray(0, maxAttributeBytes)
  return bytes ? decoder.decode(bytes).replaceAll('\0', '').trim() : ''
}

/** Encodings by the defined terms of PS3.3 C.12.1.1.2; of several the last one, which names with escapes are in. */
const encodings: Readonly<Record<string, string>> = {
  'ISO_IR 100': 'latin1',
  'ISO_IR 101': 'iso-8859-2',
  'ISO_IR 109': 'iso-8859-3',
  'ISO_IR 110': 'iso-8859-4',
  'ISO_IR 144': 'iso-8859-5',
  'ISO_IR 127': 'iso-8859-6',
  'ISO_IR 126': 'iso-8859-7',
  'ISO_IR 138': 'iso-8859-8',
  'ISO_IR 148': 'windows-1254',
  'ISO_IR 203': 'iso-8859-15',
  'ISO_IR 13': 'shift_jis',
  'ISO_IR 166': 'windows-874',
  'ISO_IR 192': 'utf-8',
  GB18030: 'gb18030',
  GBK: 'gbk',
  'ISO 2022 IR 87': 'iso-2022-jp',
  'ISO 2022 IR 149': 'euc-kr',
}

type Decoder = InstanceType<typeof TextDecoder>

function textDecoder(dataSet: DataSet): Decoder {
  const terms =
    dataSet
      .string('x00080005')
      ?.split('\\')
      .map(term => term.trim()) ?? []
  const known = terms.toReversed().find(term => Object.hasOwn(encodings, term))
  return new TextDecoder(known === undefined ? 'latin1' : (encodings[known] ?? 'latin1'))
}

import { inflateRawSync } from 'node:zlib'
import dicomParser, { type DataSet } from 'dicom-parser'
import { dataErrors } from '../errors.ts'
import { transferSyntaxes, type TransferSyntax } from './transfer-syntax.ts'

/** A parsed DICOM file: its tags, its bytes (inflated where they were deflated), and how its pixels are packed. */
export interface DicomFile {
  readonly dataSet: DataSet
  readonly transferSyntax: TransferSyntax
  /** What was tolerated, in words. */
  readonly warnings: readonly string[]
}

/** A deflated data set may inflate to 1 GiB. */
const maxInflatedBytes = 2 ** 30
const implicitLittleEndian = '1.2.840.10008.1.2'
const explicitLittleEndian = '1.2.840.10008.1.2.1'
const preambleBytes = 128

/** Tells whether bytes start with a DICOM preamble. */
export function isDicom(bytes: Uint8Array): boolean {
  return (
    bytes.length > preambleBytes + 4 &&
    String.fromCharCode(...bytes.subarray(preambleBytes, preambleBytes + 4)) === 'DICM'
  )
}

/**
 * Parses the tags of a DICOM file. A file without a preamble is read from its first tag.
 *
 * @throws DATA_DICOM_INVALID when it cannot be parsed
 * @throws DATA_DICOM_UNSUPPORTED when its transfer syntax is not read
 */
export function parseDicomFile(bytes: Uint8Array): DicomFile {
  const hasMeta = isDicom(bytes)
  const dataSet = parse(bytes, hasMeta)
  const written = dataSet.string('x00020010')
  if (hasMeta && written === undefined)
    throw dataErrors.DICOM_INVALID({ problem: 'it does not name its transfer syntax' })
  const uid = written ?? implicitLittleEndian
  const transferSyntax = transferSyntaxes[uid]
  if (!transferSyntax) throw dataErrors.DICOM_UNSUPPORTED({ what: `the transfer syntax ${uid.slice(0, 64)}` })
  return { dataSet, transferSyntax, warnings: hasMeta ? [] : ['there is no preamble'] }
}

function parse(bytes: Uint8Array, hasMeta: boolean): DataSet {
  try {
    if (hasMeta) return dicomParser.parseDicom(bytes, { inflater })
    const startsWithMeta = bytes[0] === 2 && bytes[1] === 0
    if (startsWithMeta) return dicomParser.parseDicom(withPreamble(bytes), { inflater })
    const hasVr = /^[A-Z]{2}$/.test(String.fromCharCode(bytes[4] ?? 0, bytes[5] ?? 0))
    return dicomParser.parseDicom(bytes, { TransferSyntaxUID: hasVr ? explicitLittleEndian : implicitLittleEndian })
  } catch (cause) {
    throw dataErrors.DICOM_INVALID({ problem: 'its tags cannot be parsed, or the file is truncated' }, { cause })
  }
}

function withPreamble(bytes: Uint8Array): Uint8Array {
  const whole = new Uint8Array(preambleBytes + 4 + bytes.length)
  whole.set([0x44, 0x49, 0x43, 0x4d], preambleBytes)
  whole.set(bytes, preambleBytes + 4)
  return whole
}

/** Inflates what follows the meta header. */
function inflater(deflated: Uint8Array, position: number): Uint8Array {
  const rest = inflateRawSync(deflated.subarray(position), { maxOutputLength: maxInflatedBytes })
  const whole = new Uint8Array(position + rest.length)
  whole.set(deflated.subarray(0, position))
  whole.set(rest, position)
  return whole
}

/** A whole number of a tag with a binary or text value, or undefined when the tag is missing. */
export function wholeNumber({ dataSet }: DicomFile, tag: string, kind: 'uint16' | 'text'): number | undefined {
  const value = kind === 'uint16' ? dataSet.uint16(tag) : toNumber(dataSet.string(tag))
  if (value !== undefined && !Number.isSafeInteger(value))
    throw dataErrors.DICOM_INVALID({ problem: `the tag ${tag.slice(1)} is no whole number` })
  return value
}

/** The first number of a decimal tag, or undefined when it is missing or no number. */
export function decimal({ dataSet }: DicomFile, tag: string): number | undefined {
  const value = toNumber(dataSet.string(tag)?.split('\\')[0])
  return value !== undefined && Number.isFinite(value) ? value : undefined
}

function toNumber(text: string | undefined): number | undefined {
  return text === undefined || text.trim() === '' ? undefined : Number(text)
}

import dicomParser, { type DataSet } from 'dicom-parser'
import { dataErrors } from '../errors.ts'
import { encodingAt, looksLikeDataSet, type DataSetEncoding } from './dicom-encoding.ts'
import { inflateDataSet } from './inflate-data-set.ts'
import { describeSyntax, implicitLittleEndian, transferSyntaxes, type TransferSyntax } from './transfer-syntax.ts'

/** A parsed DICOM file: its tags, its bytes (inflated where they were deflated), and how its pixels are packed. */
export interface DicomFile {
  readonly dataSet: DataSet
  readonly transferSyntax: TransferSyntax
  readonly syntaxUid: string
  /** What was tolerated, in words. */
  readonly warnings: readonly string[]
}

const preambleBytes = 128

/** Tells by content whether bytes are a DICOM file: by its preamble, or by its first elements where it has none. */
export function isDicom(bytes: Uint8Array): boolean {
  return hasPreamble(bytes) || looksLikeDataSet(bytes)
}

/**
 * Parses the tags of a DICOM file. A file without a preamble is read from its first tag, and one whose elements are not
 * encoded as its transfer syntax says is read as they are; both with a warning.
 *
 * @throws DATA_DICOM_INVALID when it cannot be parsed
 * @throws DATA_DICOM_UNSUPPORTED when its transfer syntax is not read
 */
export function parseDicomFile(bytes: Uint8Array): DicomFile {
  const metaStart = hasPreamble(bytes) ? preambleBytes + 4 : 0
  const meta = readMeta(bytes, metaStart)
  if (meta && meta.syntaxUid === undefined)
    throw dataErrors.DICOM_INVALID({ problem: 'it does not name its transfer syntax' })
  const uid = meta?.syntaxUid ?? implicitLittleEndian
  const written = transferSyntaxes.get(uid)
  if (!written) throw dataErrors.DICOM_UNSUPPORTED({ what: describeSyntax(uid) })
  const behind = bytes.subarray(meta?.end ?? metaStart)
  const content = written.isDeflated ? inflateDataSet(behind) : behind
  const found = encodingAt(content, 0)
  const differs = found.isExplicit !== written.isExplicit || found.isLittleEndian !== written.isLittleEndian
  return {
    dataSet: parseDataSet(content, found),
    transferSyntax: { ...written, isLittleEndian: found.isLittleEndian },
    syntaxUid: uid,
    warnings: [
      ...(metaStart > 0 ? [] : ['there is no preamble']),
      ...(meta && differs ? [`the elements are ${nameOf(found)}, the transfer syntax says ${nameOf(written)}`] : []),
    ],
  }
}

function hasPreamble(bytes: Uint8Array): boolean {
  return (
    bytes.length > preambleBytes + 4 &&
    String.fromCharCode(...bytes.subarray(preambleBytes, preambleBytes + 4)) === 'DICM'
  )
}

interface MetaHeader {
  readonly syntaxUid: string | undefined
  /** Where the data set starts. */
  readonly end: number
}

/** Reads the elements of group 0002, which are explicit little endian; undefined when there are none. */
function readMeta(bytes: Uint8Array, start: number): MetaHeader | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let [at, syntaxUid] = [start, undefined as string | undefined]
  while (at + 8 <= bytes.length && view.getUint16(at, true) === 2) {
    const isLong = ['OB', 'UN'].includes(String.fromCharCode(view.getUint8(at + 4), view.getUint8(at + 5)))
    if (isLong && at + 12 > bytes.length) break
    const value = at + (isLong ? 12 : 8)
    const length = isLong ? view.getUint32(at + 8, true) : view.getUint16(at + 6, true)
    if (view.getUint16(at + 2, true) === 0x0010) syntaxUid = textOf(bytes.subarray(value, value + length))
    at = value + length
  }
  return at === start ? undefined : { syntaxUid, end: at }
}

/** A text without the blanks and zeros that pad it; undefined when nothing is left. */
function textOf(bytes: Uint8Array): string | undefined {
  return String.fromCharCode(...bytes.subarray(0, 64)).replace(/[\0 ]+$/, '') || undefined
}

const uidOfEncoding = ({ isExplicit, isLittleEndian }: DataSetEncoding) =>
  isExplicit ? (isLittleEndian ? '1.2.840.10008.1.2.1' : '1.2.840.10008.1.2.2') : implicitLittleEndian

/** Without a representation, encapsulated pixels look like a sequence of data sets. */
const pixelsOnly = (tag: string) => (tag === 'x7fe00010' ? 'OW' : undefined)

function parseDataSet(content: Uint8Array, encoding: DataSetEncoding): DataSet {
  if (content.length === 0) throw dataErrors.DICOM_NO_PIXELS({})
  try {
    return dicomParser.parseDicom(content, { TransferSyntaxUID: uidOfEncoding(encoding), vrCallback: pixelsOnly })
  } catch (cause) {
    throw dataErrors.DICOM_INVALID({ problem: 'its tags cannot be parsed, or the file is truncated' }, { cause })
  }
}

function nameOf({ isExplicit, isLittleEndian }: DataSetEncoding): string {
  return `${isExplicit ? 'explicit' : 'implicit'} ${isLittleEndian ? 'little' : 'big'} endian`
}

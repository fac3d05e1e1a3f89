import { createHash } from 'node:crypto'
import { dataErrors } from '../errors.ts'

/** A grey picture to write as DICOM. */
export interface DicomToWrite {
  readonly rows: number
  readonly columns: number
  /** [rows * columns], row after row. */
  readonly pixels: Uint16Array
  /** Bits of a pixel that are used, 1 to 16. */
  readonly bitsStored: number
  readonly modality: string
  readonly sopInstanceUid: string
  readonly sopClassUid?: string
  readonly window?: { readonly center: number; readonly width: number }
  readonly patientId?: string
  readonly studyUid?: string
  readonly seriesUid?: string
  /** Which side is shown: `L` or `R`. */
  readonly laterality?: 'L' | 'R'
  readonly viewPosition?: string
  readonly comments?: string
}

const explicitLittleEndian = '1.2.840.10008.1.2.1'
const secondaryCapture = '1.2.840.10008.5.1.4.1.1.7'
/** Value representations whose length has four bytes. */
const longLengths = new Set(['OB', 'OW', 'UT'])

type Tag = readonly [group: number, element: number, vr: string, value: string | number | Uint8Array]

/**
 * Encodes a grey picture as a DICOM file: explicit little endian, 16 bits per pixel, MONOCHROME2.
 *
 * @throws DATA_OPTION_INVALID when the sizes do not fit the pixels or the tags
 */
export function encodeDicom(image: DicomToWrite): Uint8Array {
  const { rows, columns, pixels, bitsStored } = image
  if (rows * columns !== pixels.length || rows > 65_535 || columns > 65_535)
    throw dataErrors.OPTION_INVALID({
      name: 'pixels',
      value: `${pixels.length} values`,
      range: `${rows} x ${columns} values`,
    })
  if (!(bitsStored >= 1 && bitsStored <= 16))
    throw dataErrors.OPTION_INVALID({ name: 'bitsStored', value: String(bitsStored), range: '1 to 16' })
  const meta = [
    [0x0002, 0x0001, 'OB', Uint8Array.of(0, 1)],
    [0x0002, 0x0002, 'UI', image.sopClassUid ?? secondaryCapture],
    [0x0002, 0x0003, 'UI', image.sopInstanceUid],
    [0x0002, 0x0010, 'UI', explicitLittleEndian],
    [0x0002, 0x0012, 'UI', uidOf('qoq-med data-climb')],
  ] as const satisfies readonly Tag[]
  const metaBytes = Buffer.concat(meta.map(encodeTag))
  const metaLength = encodeTag([0x0002, 0x0000, 'UL', metaBytes.length])
  return Buffer.concat([Buffer.alloc(128), Buffer.from('DICM'), metaLength, metaBytes, ...tagsOf(image).map(encodeTag)])
}

/** Makes a unique identifier from a text: the same text gives the same one (PS3.5 B.2). */
export function uidOf(text: string): string {
  return `2.25.${BigInt(`0x${createHash('sha256').update(text).digest('hex').slice(0, 32)}`)}`
}

/** Tags of the data set, in ascending order. */
function tagsOf(image: DicomToWrite): Tag[] {
  const { rows, columns, pixels, bitsStored, window, laterality, viewPosition, comments } = image
  const uid = (text: string | undefined, name: string) => text ?? uidOf(`${image.sopInstanceUid} ${name}`)
  const optional = (value: string | undefined, tag: (value: string) => Tag) => (value === undefined ? [] : [tag(value)])
  return [
    [0x0008, 0x0008, 'CS', 'DERIVED\\SECONDARY'],
    [0x0008, 0x0016, 'UI', image.sopClassUid ?? secondaryCapture],
    [0x0008, 0x0018, 'UI', image.sopInstanceUid],
    [0x0008, 0x0060, 'CS', image.modality],
    [0x0010, 0x0020, 'LO', image.patientId ?? ''],
    ...optional(viewPosition, view => [0x0018, 0x5101, 'CS', view]),
    [0x0020, 0x000d, 'UI', uid(image.studyUid, 'study')],
    [0x0020, 0x000e, 'UI', uid(image.seriesUid, 'series')],
    ...optional(laterality, side => [0x0020, 0x0062, 'CS', side]),
    ...optional(comments, text => [0x0020, 0x4000, 'LT', text]),
    [0x0028, 0x0002, 'US', 1],
    [0x0028, 0x0004, 'CS', 'MONOCHROME2'],
    [0x0028, 0x0010, 'US', rows],
    [0x0028, 0x0011, 'US', columns],
    [0x0028, 0x0100, 'US', 16],
    [0x0028, 0x0101, 'US', bitsStored],
    [0x0028, 0x0102, 'US', bitsStored - 1],
    [0x0028, 0x0103, 'US', 0],
    ...(window
      ? ([
          [0x0028, 0x1050, 'DS', String(window.center)],
          [0x0028, 0x1051, 'DS', String(window.width)],
        ] as const)
      : []),
    [0x7fe0, 0x0010, 'OW', new Uint8Array(pixels.buffer, pixels.byteOffset, pixels.byteLength)],
  ]
}

function encodeTag([group, element, vr, value]: Tag): Buffer {
  const body = bodyOf(vr, value)
  const isLong = longLengths.has(vr)
  const head = Buffer.alloc(isLong ? 12 : 8)
  head.writeUInt16LE(group, 0)
  head.writeUInt16LE(element, 2)
  head.write(vr, 4, 'latin1')
  if (isLong) head.writeUInt32LE(body.length, 8)
  else head.writeUInt16LE(body.length, 6)
  return Buffer.concat([head, body])
}

/** Values have an even length: identifiers are padded with a zero, texts with a blank. */
function bodyOf(vr: string, value: string | number | Uint8Array): Buffer {
  if (typeof value === 'number') {
    const body = Buffer.alloc(vr === 'US' ? 2 : 4)
    if (vr === 'US') body.writeUInt16LE(value)
    else body.writeUInt32LE(value)
    return body
  }
  const body = typeof value === 'string' ? Buffer.from(value, 'latin1') : Buffer.from(value)
  return body.length % 2 === 0 ? body : Buffer.concat([body, Buffer.from(vr === 'UI' || vr === 'OB' ? '\0' : ' ')])
}

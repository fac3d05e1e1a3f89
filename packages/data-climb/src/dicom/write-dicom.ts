import { createHash } from 'node:crypto'
import { dataErrors } from '../errors.ts'
import { encodeDicomFile, type DicomElement } from './encode-data-set.ts'

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

const secondaryCapture = '1.2.840.10008.5.1.4.1.1.7'
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
  const sopClassUid = image.sopClassUid ?? secondaryCapture
  return encodeDicomFile(tagsOf(image), {
    sopClassUid,
    sopInstanceUid: image.sopInstanceUid,
    implementationUid: uidOf('qoq-med data-climb'),
  })
}

/** Makes a unique identifier from a text: the same text gives the same one (PS3.5 B.2). */
export function uidOf(text: string): string {
  return `2.25.${BigInt(`0x${createHash('sha256').update(text).digest('hex').slice(0, 32)}`)}`
}

/** Tags of the data set, in ascending order. */
function tagsOf(image: DicomToWrite): DicomElement[] {
  const { rows, columns, pixels, bitsStored, window, laterality, viewPosition, comments } = image
  const uid = (text: string | undefined, name: string) => text ?? uidOf(`${image.sopInstanceUid} ${name}`)
  return [
    [0x00080008, 'CS', 'DERIVED\\SECONDARY'],
    [0x00080016, 'UI', image.sopClassUid ?? secondaryCapture],
    [0x00080018, 'UI', image.sopInstanceUid],
    [0x00080060, 'CS', image.modality],
    [0x00100020, 'LO', image.patientId ?? ''],
    ...optional(viewPosition, view => [0x00185101, 'CS', view]),
    [0x0020000d, 'UI', uid(image.studyUid, 'study')],
    [0x0020000e, 'UI', uid(image.seriesUid, 'series')],
    ...optional(laterality, side => [0x00200062, 'CS', side]),
    ...optional(comments, text => [0x00204000, 'LT', text]),
    [0x00280002, 'US', 1],
    [0x00280004, 'CS', 'MONOCHROME2'],
    [0x00280010, 'US', rows],
    [0x00280011, 'US', columns],
    [0x00280100, 'US', 16],
    [0x00280101, 'US', bitsStored],
    [0x00280102, 'US', bitsStored - 1],
    [0x00280103, 'US', 0],
    ...(window
      ? ([
          [0x00281050, 'DS', String(window.center)],
          [0x00281051, 'DS', String(window.width)],
        ] as const)
      : []),
    [0x7fe00010, 'OW', new Uint8Array(pixels.buffer, pixels.byteOffset, pixels.byteLength)],
  ]
}

function optional(value: string | undefined, tag: (value: string) => DicomElement): DicomElement[] {
  return value === undefined ? [] : [tag(value)]
}

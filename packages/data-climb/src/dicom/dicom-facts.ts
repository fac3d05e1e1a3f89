import type { DicomFile } from './dicom-file.ts'
import { decimalValue, textValue } from './dicom-values.ts'
import type { DicomImage } from './dicom-image.ts'
import { patientPlane, planeText } from './patient-plane.ts'
import { syntaxName } from './transfer-syntax.ts'

/** What people look for in a file, by a name in words; never of a patient. */
export type FileFacts = Readonly<Record<string, string | number>>

const sides: ReadonlyMap<string, string> = new Map([
  ['L', 'left'],
  ['R', 'right'],
  ['B', 'both sides'],
])

/**
 * What a DICOM file says of its picture: modality, body part, view, side, orientation, window, duration, transfer syntax.
 * Codes that are none are left out, since anything may stand there.
 *
 * @param image its pixels, where it has some
 */
export function dicomFacts(
  { dataSet, syntaxUid }: DicomFile,
  image?: Pick<DicomImage, 'window' | 'length'>,
): FileFacts {
  const code = (tag: string): string | undefined => {
    const text = textValue(dataSet, tag)
    return text !== undefined && /^[A-Z0-9_ ]{1,16}$/.test(text) ? text : undefined
  }
  const plane = patientPlane(dataSet)
  const side = code('x00200062') ?? code('x00200060')
  const frames = image?.length ?? 1
  const facts = {
    modality: code('x00080060'),
    'body part': code('x00180015'),
    view: code('x00185101'),
    side: side === undefined ? undefined : (sides.get(side) ?? side),
    orientation: plane ? planeText(plane) : directionLetters(dataSet.string('x00200020')),
    window: image?.window && `${shown(image.window.center)}/${shown(image.window.width)}`,
    'slice thickness (mm)': decimalValue(dataSet, 'x00180050'),
    'duration (s)': frames > 1 ? durationOf(dataSet, frames) : undefined,
    colours: code('x00280004'),
    'burned-in annotation': code('x00280301'),
    'transfer syntax': syntaxName(syntaxUid),
  }
  return Object.fromEntries(
    Object.entries(facts).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])),
  )
}

/** Seconds of a series of frames: by the milliseconds of a frame, else by the rate that it is to be shown with. */
function durationOf(dataSet: DicomFile['dataSet'], frames: number): number | undefined {
  const frameMs = decimalValue(dataSet, 'x00181063')
  const rateHz = decimalValue(dataSet, 'x00180040') ?? decimalValue(dataSet, 'x00082144')
  const seconds = frameMs ? (frames * frameMs) / 1000 : rateHz ? frames / rateHz : undefined
  return seconds !== undefined && seconds > 0 ? Number(seconds.toFixed(3)) : undefined
}

const letters: ReadonlyMap<string, string> = new Map([
  ['L', 'left'],
  ['R', 'right'],
  ['A', 'front'],
  ['P', 'back'],
  ['H', 'head'],
  ['F', 'feet'],
])

/** PatientOrientation, such as `P\F`: where columns and rows count to. */
function directionLetters(text: string | undefined): string | undefined {
  const [row, column] = (text ?? '').split('\\').map(part => letters.get(part.trim().charAt(0)))
  return row && column ? `columns to the ${row}, rows to the ${column}` : undefined
}

function shown(value: number): string {
  return String(Number(value.toFixed(2)))
}

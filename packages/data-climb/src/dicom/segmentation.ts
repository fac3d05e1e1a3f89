import { isHintedError } from '@qoq-med/errors'
import type { DataSet } from 'dicom-parser'
import { dataErrors } from '../errors.ts'
import type { PixelMask } from '../sample/sample.ts'
import { parseDicomFile } from './dicom-file.ts'
import { decodeDicom, type DicomImage } from './dicom-image.ts'
import { decimalValues, itemsOf, textValue, unsignedValue } from './dicom-values.ts'
import { functionalGroups } from './functional-groups.ts'

/** The mask of one segment in one plane of a DICOM segmentation (PS3.3 A.51). */
export interface SegmentMask {
  /** The number of the segment, and what its author calls it. */
  readonly segment: number
  readonly label: string | undefined
  /** The SOP Instance UID of the picture that the plane was drawn on, where the file says it. */
  readonly sourceInstance: string | undefined
  /** Millimetres to the left, back and head of the plane's first pixel, where the file says it. */
  readonly position: readonly number[] | undefined
  readonly mask: PixelMask
}

/** Sequences and attributes of segments. */
const tags = {
  type: 'x00620001',
  segments: 'x00620002',
  number: 'x00620004',
  label: 'x00620005',
  identification: 'x0062000a',
  referenced: 'x0062000b',
  mostFractional: 'x0062000e',
  planePosition: 'x00209113',
  position: 'x00200032',
  derivation: 'x00089124',
  source: 'x00082112',
  sourceInstance: 'x00081155',
} as const

/**
 * Reads the masks of a DICOM segmentation: BINARY frames of single bits, FRACTIONAL ones at half of their largest value, and
 * LABELMAP frames, whose values are the numbers of segments.
 *
 * @returns one mask per segment and plane, in the order of the frames
 * @throws DATA_DICOM_INVALID, DATA_DICOM_UNSUPPORTED when the file is no segmentation, DATA_DICOM_NO_PIXELS
 */
export async function readSegmentMasks(bytes: Uint8Array): Promise<readonly SegmentMask[]> {
  try {
    const { dataSet } = parseDicomFile(bytes)
    if (!isSegmentation(dataSet)) throw dataErrors.DICOM_UNSUPPORTED({ what: 'no segments' })
    return masksOf(dataSet, await decodeDicom(bytes))
  } catch (cause) {
    if (isHintedError(cause)) throw cause
    throw dataErrors.DICOM_INVALID({ problem: 'its segments cannot be read' }, { cause })
  }
}

/** Tells whether a data set is a segmentation: it says what its segments are. */
export function isSegmentation(dataSet: DataSet): boolean {
  return textValue(dataSet, tags.type) !== undefined && itemsOf(dataSet, tags.segments).length > 0
}

function masksOf(dataSet: DataSet, image: DicomImage): SegmentMask[] {
  const labels = new Map(
    itemsOf(dataSet, tags.segments).map(item => [unsignedValue(item, tags.number) ?? 0, textValue(item, tags.label)]),
  )
  const size = image.rows * image.columns
  const attributesOf = functionalGroups(dataSet)
  return image.positions.flatMap((position, i) => {
    const attributes = attributesOf(position)
    const pixels = image.pixels.subarray(i * size, (i + 1) * size)
    const place = {
      position: pointOf(attributes(tags.planePosition)),
      sourceInstance: sourceOf(attributes(tags.derivation)),
    }
    const own = unsignedValue(attributes(tags.identification), tags.referenced) ?? 0
    const segments = textValue(dataSet, tags.type) === 'LABELMAP' ? labelsIn(pixels, labels) : [own]
    const inside = insideOf(dataSet)
    return segments.map(segment => ({
      segment,
      label: labels.get(segment),
      ...place,
      mask: { width: image.columns, height: image.rows, data: maskOf(pixels, inside(segment)) },
    }))
  })
}

type Pixels = DicomImage['pixels']

function labelsIn(pixels: Pixels, labels: ReadonlyMap<number, string | undefined>): number[] {
  return [...new Set<number>(pixels)].filter(value => value !== 0 && labels.has(value)).toSorted((a, b) => a - b)
}

/** Which values of a frame are inside a segment. */
function insideOf(dataSet: DataSet): (segment: number) => (value: number) => boolean {
  const type = textValue(dataSet, tags.type)
  if (type === 'LABELMAP') return segment => value => value === segment
  if (type !== 'FRACTIONAL') return () => value => value !== 0
  const half = (unsignedValue(dataSet, tags.mostFractional) ?? 255) / 2
  return () => value => value >= half
}

function maskOf(pixels: Pixels, isInside: (value: number) => boolean): Uint8Array {
  const mask = new Uint8Array(pixels.length)
  for (let i = 0; i < mask.length; i++) mask[i] = isInside(pixels[i]!) ? 1 : 0 // bounded by the loop
  return mask
}

function pointOf(attributes: DataSet): readonly number[] | undefined {
  const point = decimalValues(attributes, tags.position)
  return point.length === 3 && point.every(value => Number.isFinite(value)) ? point : undefined
}

function sourceOf(attributes: DataSet): string | undefined {
  const [source] = itemsOf(attributes, tags.source)
  return source && textValue(source, tags.sourceInstance)
}

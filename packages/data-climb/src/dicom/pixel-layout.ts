import type { DataSet } from 'dicom-parser'
import { dataErrors } from '../errors.ts'
import type { VoxelType } from '../volume/voxels.ts'
import { colourModels, type ColourModel } from './colour-models.ts'
import type { DicomFile } from './dicom-file.ts'
import { elementOf, textValue, unsignedValue, wholeValue } from './dicom-values.ts'
import type { StoredBits } from './stored-bits.ts'

/** How the tags say that pixels lie in the file. */
export interface PixelLayout extends StoredBits {
  /** The tag of the pixel data: integers, or numbers with a fraction. */
  readonly pixelTag: string
  readonly rows: number
  readonly columns: number
  readonly samples: 1 | 3
  /** As claimed; the file may hold more. */
  readonly frames: number
  readonly bytesPerSample: number
  readonly dtype: VoxelType
  readonly colour: ColourModel
  readonly isPlanar: boolean
}

/** Samples of a frame, which a small file could claim: 11,585 x 11,585 grey pixels. */
export const maxFrameSamples = 2 ** 27
/** Frames that a file may have. */
export const maxFrames = 100_000

/** Where pixels stand, and whether they are integers. */
const pixelTags = [
  ['x7fe00010', undefined],
  ['x7fe00008', 'float32'],
  ['x7fe00009', 'float64'],
] as const

/**
 * Reads how the pixels lie.
 *
 * @param warn is told what the tags say wrongly and was read otherwise
 * @throws DATA_DICOM_NO_PIXELS, DATA_DICOM_INVALID, DATA_DICOM_UNSUPPORTED
 */
export function pixelLayout({ dataSet, transferSyntax }: DicomFile, warn: (warning: string) => void): PixelLayout {
  const found = pixelTags.find(([tag]) => elementOf(dataSet, tag))
  if (!found) throw dataErrors.DICOM_NO_PIXELS({})
  const [rows, columns, bitsAllocated] = ['x00280010', 'x00280011', 'x00280100'].map(tag => required(dataSet, tag)) as [
    number,
    number,
    number,
  ] // three tags
  const samples = unsignedValue(dataSet, 'x00280002') ?? 1
  const isKnownSize = found[1] === undefined ? [1, 8, 16, 32].includes(bitsAllocated) : bitsAllocated >= 32
  if (!isKnownSize || (samples !== 1 && samples !== 3))
    throw dataErrors.DICOM_UNSUPPORTED({ what: `${samples} samples of ${bitsAllocated} bits` })
  const frames = framesOf(dataSet, warn)
  if (frames > maxFrames || rows * columns * samples > maxFrameSamples)
    throw dataErrors.DICOM_INVALID({ problem: `it claims ${frames} frames of ${rows} x ${columns} pixels` })
  const bits = storedBits(dataSet, bitsAllocated, warn)
  return {
    pixelTag: found[0],
    rows,
    columns,
    samples,
    frames,
    ...bits,
    bytesPerSample: Math.max(1, bitsAllocated / 8),
    dtype:
      found[1] ?? (bitsAllocated === 1 ? 'uint8' : `${bits.isSigned ? 'int' : 'uint'}${bitsAllocated as 8 | 16 | 32}`), // one of the list above
    colour: colourOf(dataSet, { samples, isJpeg2000: /2000|htj2k/.test(transferSyntax.codec) }, warn),
    isPlanar: samples === 3 && (unsignedValue(dataSet, 'x00280006') ?? 0) === 1,
  }
}

function required(dataSet: DataSet, tag: string): number {
  const value = unsignedValue(dataSet, tag)
  if (value === undefined || value < 1)
    throw dataErrors.DICOM_INVALID({ problem: `the tag ${tag.slice(1)} is missing or zero` })
  return value
}

function framesOf(dataSet: DataSet, warn: (warning: string) => void): number {
  const claimed = wholeValue(dataSet, 'x00280008') ?? (elementOf(dataSet, 'x00280008') ? 0 : 1)
  if (claimed < 0) throw dataErrors.DICOM_INVALID({ problem: `it claims ${claimed} frames` })
  if (claimed === 0) warn('NumberOfFrames is zero or empty; one frame was read')
  return Math.max(1, claimed)
}

function storedBits(dataSet: DataSet, bitsAllocated: number, warn: (warning: string) => void): StoredBits {
  const written = unsignedValue(dataSet, 'x00280101')
  const isUsable = written !== undefined && written >= 1 && written <= bitsAllocated
  if (!isUsable) warn('BitsStored is missing or impossible; all allocated bits were read')
  const bitsStored = isUsable ? written : bitsAllocated
  const high = unsignedValue(dataSet, 'x00280102') ?? bitsStored - 1
  return {
    bitsAllocated,
    bitsStored,
    highBit: high >= bitsStored - 1 && high < bitsAllocated ? high : bitsStored - 1,
    isSigned: unsignedValue(dataSet, 'x00280103') === 1,
  }
}

function colourOf(
  dataSet: DataSet,
  { samples, isJpeg2000 }: { readonly samples: 1 | 3; readonly isJpeg2000: boolean },
  warn: (warning: string) => void,
): ColourModel {
  const written = textValue(dataSet, 'x00280004')
  const model = colourModels.get(written ?? '')
  if (written !== undefined && !model)
    throw dataErrors.DICOM_UNSUPPORTED({ what: 'pixels of an unknown photometric interpretation' })
  if (model?.isOfJpeg2000 === true && !isJpeg2000)
    warn(`the colours cannot be ${written ?? ''} here; they were taken for RGB`)
  if (model?.samples === samples) return model
  warn(`the photometric interpretation is ${written ?? 'missing'}, the pixels have ${samples} samples`)
  return samples === 3 ? { kind: 'rgb', samples } : { kind: 'grey', samples, isInverted: model?.isInverted ?? false }
}

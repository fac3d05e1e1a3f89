import type { IntensityWindow } from '../volume/intensity-window.ts'
import { isHintedError } from '@qoq-med/errors'
import { dataErrors } from '../errors.ts'
import type { VoxelType, Voxels } from '../volume/voxels.ts'
import { readDisplay, type DicomDisplay } from './display-attributes.ts'
import { parseDicomFile, type DicomFile } from './dicom-file.ts'
import { decodeFrames } from './frame-decoder.ts'
import { functionalGroups, groups } from './functional-groups.ts'
import { decimalValues } from './dicom-values.ts'
import { pixelLayout } from './pixel-layout.ts'
import { unappliedAttributes } from './unapplied-attributes.ts'

/** The decoded pixels of a DICOM file. */
export interface DicomImage {
  /** [frames, rows, columns, samples] without the axes of length 1 at either end, as pydicom gives it. */
  readonly shape: readonly number[]
  /** Decoded frames. */
  readonly frames: number
  /** Frames of the file. */
  readonly length: number
  /** Which frames were decoded, counted from 0. */
  readonly positions: readonly number[]
  readonly rows: number
  readonly columns: number
  /** 1 for grey or palette colours, 3 for colour. */
  readonly samples: number
  readonly dtype: VoxelType
  /** Values as stored, before rescale; colours as red, green, blue; palette colours as indexes. */
  readonly pixels: Voxels
  /** Bits of a pixel that are used. */
  readonly bitsStored: number
  /** Physical value = stored * slope + intercept, of the first decoded frame. */
  readonly slope: number
  readonly intercept: number
  /** Whether low values are bright (MONOCHROME1, or the Presentation LUT Shape INVERSE). */
  readonly isInverted: boolean
  /** The first VOI window of the first decoded frame, where there is one. */
  readonly window: IntensityWindow | undefined
  /** Millimetres between rows and columns, where known. */
  readonly spacing: readonly number[]
  /** How pixels are shown. */
  readonly display: DicomDisplay
  /** What was repaired or not applied, in words. */
  readonly warnings: readonly string[]
}

/** Which frames of a file are decoded. */
export interface DicomFrameChoice {
  /** Positions to decode, of as many as there are; all of them where it is missing. */
  readonly choose?: (length: number) => readonly number[]
}

/**
 * Decodes the pixels of a DICOM file: raw (implicit, explicit, big-endian, deflated), RLE, JPEG of 8 and 12 bits, JPEG
 * lossless, JPEG-LS, JPEG 2000 and HTJ2K; one or many frames. What was repaired, and what of the file was not applied, is
 * said in `warnings`.
 *
 * @throws DATA_DICOM_INVALID, DATA_DICOM_UNSUPPORTED, DATA_DICOM_NO_PIXELS
 */
export async function decodeDicom(bytes: Uint8Array, { choose }: DicomFrameChoice = {}): Promise<DicomImage> {
  try {
    return await decodeFile(parseDicomFile(bytes), choose)
  } catch (cause) {
    if (isHintedError(cause)) throw cause
    throw dataErrors.DICOM_INVALID({ problem: 'its tags cannot be read' }, { cause })
  }
}

async function decodeFile(file: DicomFile, choose: DicomFrameChoice['choose']): Promise<DicomImage> {
  const warnings = new Set(file.warnings)
  const warn = (warning: string) => void warnings.add(warning)
  const layout = pixelLayout(file, warn)
  const { length, positions, pixels } = await decodeFrames(file, { layout, choose, warn })
  const { rows, columns, samples, dtype, bitsStored } = layout
  const display = readDisplay(file, { layout, positions, warn })
  for (const warning of unappliedAttributes(file.dataSet, layout)) warn(warning)
  const [first] = display.frames
  const modality = first?.modality
  return {
    shape: [...(positions.length > 1 ? [positions.length] : []), rows, columns, ...(samples > 1 ? [samples] : [])],
    frames: positions.length,
    length,
    positions,
    rows,
    columns,
    samples,
    dtype,
    pixels,
    bitsStored,
    slope: modality?.type === 'rescale' ? modality.slope : 1,
    intercept: modality?.type === 'rescale' ? modality.intercept : 0,
    isInverted: display.isInverted,
    window: first?.voi?.type === 'window' ? first.voi.window : undefined,
    spacing: spacingOf(file, positions[0] ?? 0),
    display,
    warnings: [...warnings],
  }
}

function spacingOf({ dataSet }: DicomFile, frame: number): number[] {
  const attributes = functionalGroups(dataSet)(frame)
  const [inPlane, imager] = [attributes(groups.pixelMeasures), dataSet].map((from, i) =>
    decimalValues(from, i === 0 ? 'x00280030' : 'x00181164'),
  )
  return [inPlane, imager].find(values => values?.length === 2 && values.every(value => value > 0)) ?? []
}

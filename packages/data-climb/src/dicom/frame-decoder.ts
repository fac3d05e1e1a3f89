import { dataErrors } from '../errors.ts'
import { voxelTypes, type Voxels } from '../volume/voxels.ts'
import { decoders, type DecodedFrame } from './codecs.ts'
import { toRgb } from './colour-conversion.ts'
import type { DicomFile } from './dicom-file.ts'
import { elementOf } from './dicom-values.ts'
import { encapsulatedFrames } from './encapsulated-frames.ts'
import type { PixelLayout } from './pixel-layout.ts'
import { rawFrames } from './raw-frames.ts'
import { startTimeBudget } from '../files/time-budget.ts'
import { takeBits, takeStoredBits } from './stored-bits.ts'

/** Bytes of compressed frames that are decoded together; a file of more is read frame by frame, by `choose`. */
const maxDecodedBytes = 2 ** 30

/** Decoded frames: the values as stored, colours as red, green, blue. */
export interface DecodedPixels {
  /** Frames of the file. */
  readonly length: number
  /** Which were decoded. */
  readonly positions: readonly number[]
  /** [positions, rows, columns, samples] */
  readonly pixels: Voxels
}

interface FrameRequest {
  readonly layout: PixelLayout
  readonly choose: ((length: number) => readonly number[]) | undefined
  readonly warn: (warning: string) => void
}

/** Decodes the chosen frames of a file, or all. @throws DATA_DICOM_INVALID, DATA_DICOM_UNSUPPORTED */
export async function decodeFrames(file: DicomFile, request: FrameRequest): Promise<DecodedPixels> {
  const { layout, choose, warn } = request
  const chosen = (length: number) => choose?.(length) ?? Array.from({ length }, (_, i) => i)
  if (file.transferSyntax.codec !== 'raw') return decodePacked(file, { ...request, chosen })
  const { frames: length, read } = rawFrames(file, layout, warn)
  const positions = chosen(length)
  const pixels = read(positions)
  if (isInteger(layout)) takeStoredBits(pixels, layout, warn)
  return {
    length,
    positions,
    pixels: toRgb(pixels, { kind: layout.colour.kind, bits: layout.bitsStored, dtype: layout.dtype }),
  }
}

async function decodePacked(
  file: DicomFile,
  { layout, chosen, warn }: FrameRequest & { readonly chosen: (length: number) => readonly number[] },
): Promise<DecodedPixels> {
  const element = elementOf(file.dataSet, layout.pixelTag)
  if (!element) throw dataErrors.DICOM_NO_PIXELS({})
  const packed = encapsulatedFrames(file.dataSet, element, layout.frames)
  if (packed.length > layout.frames)
    warn(`the file holds ${packed.length} frames, the tags claim ${layout.frames}; all were read`)
  const positions = chosen(packed.length)
  const size = layout.rows * layout.columns * layout.samples
  if (positions.length * size * layout.bytesPerSample > maxDecodedBytes)
    throw dataErrors.DICOM_TOO_LARGE({ frames: positions.length, rows: layout.rows, columns: layout.columns })
  const pixels = voxelTypes[layout.dtype].make(positions.length * size)
  const requireTime = startTimeBudget()
  for (const [i, position] of positions.entries()) {
    requireTime()
    const frame = await decodeFrame(file, packed[position] ?? new Uint8Array(), layout)
    if (frame.warning !== undefined) warn(frame.warning)
    pixels.set(rgbSamples(frame, layout), i * size)
  }
  correctStream(pixels, file, layout, warn)
  return { length: packed.length, positions, pixels }
}

async function decodeFrame(
  { transferSyntax }: DicomFile,
  frame: Uint8Array,
  layout: PixelLayout,
): Promise<DecodedFrame> {
  const { codec } = transferSyntax
  if (codec === 'raw') throw dataErrors.DICOM_INVALID({ problem: 'its frames are not packed' })
  try {
    const decoded = await decoders[codec](frame, { ...layout, isYbr: layout.colour.kind === 'ybr' })
    return signedFrame(decoded, layout)
  } catch (cause) {
    if (cause instanceof Error && 'hint' in cause) throw cause
    throw dataErrors.DICOM_INVALID({ problem: `a ${codec} frame does not decode` }, { cause })
  }
}

/** JPEG-LS holds no sign and JPEG 2000 may hold the wrong one; the tags decide (as in pydicom). */
function signedFrame(frame: DecodedFrame, { isSigned, samples }: PixelLayout): DecodedFrame {
  const { precision } = frame
  if (precision === undefined || frame.isSigned === isSigned || samples !== 1) return frame
  const values = voxelTypes[isSigned ? 'int16' : 'uint16'].make(frame.samples.length)
  values.set(frame.samples)
  takeBits(values, { bits: precision, isSigned })
  return { ...frame, samples: values }
}

function rgbSamples({ samples, colour }: DecodedFrame, { colour: { kind }, bitsStored, dtype }: PixelLayout): Voxels {
  const ofStream = colour ?? kind
  return toRgb(samples, { kind: ofStream, bits: bitsStored, dtype })
}

/** Streams that know their own precision are right; RLE and JPEG may hold anything above the stored bits. */
function correctStream(
  pixels: Voxels,
  { transferSyntax: { codec } }: DicomFile,
  layout: PixelLayout,
  warn: (warning: string) => void,
): void {
  const knowsPrecision = codec === 'jpeg-ls' || codec === 'jpeg-2000' || codec === 'htj2k'
  if (!knowsPrecision && isInteger(layout)) takeStoredBits(pixels, layout, warn)
}

function isInteger({ dtype, bitsAllocated }: PixelLayout): boolean {
  return !dtype.startsWith('float') && bitsAllocated > 1
}

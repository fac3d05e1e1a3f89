import { dataErrors } from '../errors.ts'
import { readVoxels, type VoxelType, type Voxels } from '../volume/voxels.ts'
import { decoders, maxFrameBytes, type FrameShape } from './codecs.ts'
import { decimal, parseDicomFile, wholeNumber, type DicomFile } from './dicom-file.ts'
import { packedFrames } from './dicom-frames.ts'

/** The decoded pixels of a DICOM file. */
export interface DicomImage {
  /** [frames, rows, columns, samples] without the axes of length 1 at either end, as pydicom gives it. */
  readonly shape: readonly number[]
  readonly frames: number
  readonly rows: number
  readonly columns: number
  /** 1 for grey, 3 for colour. */
  readonly samples: number
  readonly dtype: VoxelType
  /** Values as stored, before rescale; colours as red, green, blue. */
  readonly pixels: Voxels
  readonly slope: number
  readonly intercept: number
  /** Whether low values are bright (MONOCHROME1). */
  readonly isInverted: boolean
  /** The first VOI window, where there is one. */
  readonly window: { readonly center: number; readonly width: number } | undefined
  /** Millimetres between rows and columns, where known. */
  readonly spacing: readonly number[]
  readonly warnings: readonly string[]
}

const maxFrames = 100_000

/**
 * Decodes the pixels of a DICOM file: raw (implicit, explicit, big-endian, deflated), RLE, JPEG of 8 bits, JPEG lossless,
 * JPEG-LS and JPEG 2000; one or many frames.
 *
 * @throws DATA_DICOM_INVALID, DATA_DICOM_UNSUPPORTED, DATA_DICOM_NO_PIXELS
 */
export async function decodeDicom(bytes: Uint8Array): Promise<DicomImage> {
  const file = parseDicomFile(bytes)
  const layout = layoutOf(file)
  const packed = packedFrames(file, layout.frames, layout)
  const { codec } = file.transferSyntax
  const decoded: Uint8Array[] = []
  for (const frame of packed) decoded.push(codec === 'raw' ? frame : await decodeFrame(codec, frame, layout))
  const whole = decoded.length === 1 && decoded[0] ? decoded[0] : Buffer.concat(decoded)
  const pixels = pixelsOf(whole, layout, file)
  const { frames, rows, columns, samples, dtype } = layout
  return {
    shape: [...(frames > 1 ? [frames] : []), rows, columns, ...(samples > 1 ? [samples] : [])],
    frames,
    rows,
    columns,
    samples,
    dtype,
    pixels,
    slope: decimal(file, 'x00281053') ?? 1,
    intercept: decimal(file, 'x00281052') ?? 0,
    isInverted: layout.photometric === 'MONOCHROME1',
    window: windowOf(file),
    spacing: spacingOf(file),
    warnings: file.warnings,
  }
}

interface PixelLayout extends FrameShape {
  readonly frames: number
  readonly bitsAllocated: number
  /** Bits of a pixel as stored raw; YBR_FULL_422 shares its colour between two pixels. */
  readonly bitsPerPixel: number
  readonly dtype: VoxelType
  readonly photometric: string
  readonly isPlanar: boolean
}

function layoutOf(file: DicomFile): PixelLayout {
  const { dataSet } = file
  if (!dataSet.elements['x7fe00010']) throw dataErrors.DICOM_NO_PIXELS({})
  const required = (tag: string) => {
    const value = wholeNumber(file, tag, 'uint16')
    if (value === undefined || value < 1)
      throw dataErrors.DICOM_INVALID({ problem: `the tag ${tag.slice(1)} is missing or zero` })
    return value
  }
  const [rows, columns, bitsAllocated] = [required('x00280010'), required('x00280011'), required('x00280100')]
  const samples = wholeNumber(file, 'x00280002', 'uint16') ?? 1
  const frames = wholeNumber(file, 'x00280008', 'text') ?? 1
  const isSigned = (wholeNumber(file, 'x00280103', 'uint16') ?? 0) === 1
  if (![1, 8, 16, 32].includes(bitsAllocated) || (samples !== 1 && samples !== 3))
    throw dataErrors.DICOM_UNSUPPORTED({ what: `${samples} samples of ${bitsAllocated} bits` })
  const bytesPerSample = Math.max(1, bitsAllocated / 8)
  if (!(frames >= 1 && frames <= maxFrames) || rows * columns * samples * bytesPerSample > maxFrameBytes)
    throw dataErrors.DICOM_INVALID({ problem: `it claims ${frames} frames of ${rows} x ${columns} pixels` })
  const photometric = (dataSet.string('x00280004') ?? '').trim()
  return {
    rows,
    columns,
    samples,
    frames,
    bitsAllocated,
    bitsPerPixel: photometric === 'YBR_FULL_422' ? 2 * bitsAllocated : samples * bitsAllocated,
    bytesPerSample,
    dtype: bitsAllocated === 1 ? 'uint8' : `${isSigned ? 'int' : 'uint'}${bitsAllocated as 8 | 16 | 32}`, // one of the list above
    photometric,
    isRgb: photometric === 'RGB',
    isPlanar: (wholeNumber(file, 'x00280006', 'uint16') ?? 0) === 1,
  }
}

async function decodeFrame(codec: keyof typeof decoders, frame: Uint8Array, shape: FrameShape): Promise<Uint8Array> {
  try {
    return await decoders[codec](frame, shape)
  } catch (cause) {
    if (cause instanceof Error && 'hint' in cause) throw cause
    throw dataErrors.DICOM_INVALID({ problem: `a ${codec} frame does not decode` }, { cause })
  }
}

function pixelsOf(bytes: Uint8Array, layout: PixelLayout, { transferSyntax }: DicomFile): Voxels {
  const count = layout.frames * layout.rows * layout.columns * layout.samples
  if (layout.bitsAllocated === 1) return Uint8Array.from({ length: count }, (_, i) => (bytes[i >> 3]! >> (i & 7)) & 1) // 8 per byte
  const isRaw = transferSyntax.codec === 'raw'
  if (isRaw && layout.photometric === 'YBR_FULL_422') return rgbOfYbr(spread422(bytes, count))
  const pixels = readVoxels(bytes, {
    start: 0,
    count,
    dtype: layout.dtype,
    isLittleEndian: !isRaw || transferSyntax.isLittleEndian,
  })
  const interleaved = isRaw && layout.isPlanar && layout.samples === 3 ? interleave(pixels, layout) : pixels
  return isRaw && layout.photometric === 'YBR_FULL' ? rgbOfYbr(interleaved) : interleaved
}

/** Colours stored plane after plane become pixel after pixel. */
function interleave(planes: Voxels, { rows, columns, frames }: PixelLayout): Voxels {
  const plane = rows * columns
  const out = planes.slice()
  for (let frame = 0; frame < frames; frame++)
    for (let c = 0; c < 3; c++)
      for (let i = 0; i < plane; i++) out[(frame * plane + i) * 3 + c] = planes[(frame * 3 + c) * plane + i]! // bounded by the loops
  return out
}

/** Two pixels are stored as two luminances and one pair of colour differences. */
function spread422(bytes: Uint8Array, count: number): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(count)
  for (let from = 0, to = 0; to < count; from += 4, to += 6) {
    const [y0, y1, cb, cr] = bytes.subarray(from, from + 4) as unknown as [number, number, number, number] // four bytes per pair
    out.set([y0, cb, cr, y1, cb, cr].slice(0, count - to), to)
  }
  return out
}

function level(value: number): number {
  return Math.min(255, Math.max(0, Math.floor(value + 0.5)))
}

/** Full-range YCbCr to RGB (PS3.3 C.7.6.3.1.2). */
function rgbOfYbr(ybr: Voxels): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(ybr.length)
  for (let i = 0; i < ybr.length; i += 3) {
    const [y, cb, cr] = [ybr[i]!, ybr[i + 1]! - 128, ybr[i + 2]! - 128] // three per pixel
    out[i] = level(y + 1.402 * cr)
    out[i + 1] = level(y - ((0.114 * 1.772) / 0.587) * cb - ((0.299 * 1.402) / 0.587) * cr)
    out[i + 2] = level(y + 1.772 * cb)
  }
  return out
}

function windowOf(file: DicomFile): DicomImage['window'] {
  const [center, width] = [decimal(file, 'x00281050'), decimal(file, 'x00281051')]
  return center !== undefined && width !== undefined && width >= 1 ? { center, width } : undefined
}

function spacingOf({ dataSet }: DicomFile): number[] {
  const written = (dataSet.string('x00280030') ?? dataSet.string('x00181164') ?? '').split('\\').map(Number)
  return written.length === 2 && written.every(value => value > 0) ? written : []
}

import { inflateRawSync } from 'node:zlib'
import sharp from 'sharp'
import { dataErrors } from '../errors.ts'
import { decodeJpegSamples } from '../jpeg/decode-jpeg.ts'
import { readJpeg2000Header, withoutSign } from '../jpeg/jpeg-2000-header.ts'
import { readJpegHeader, type JpegHeader } from '../jpeg/jpeg-header.ts'
import { readVoxels, type VoxelType, type Voxels } from '../volume/voxels.ts'
import { interleavePlanes } from './colour-conversion.ts'
import { streamColour } from './colour-models.ts'
import { decodeJpeg2000, decodeJpegLs, type WasmSamples } from './cornerstone-decoders.ts'
import { decodeHtj2k } from './decode-htj2k.ts'
import { decodeRle } from './rle.ts'
import type { PixelCodec } from './transfer-syntax.ts'

/** What a decoder must know of a frame. */
export interface FrameShape {
  readonly rows: number
  readonly columns: number
  readonly samples: number
  readonly bytesPerSample: number
  readonly dtype: VoxelType
  /** Whether the tags say that colours are YCbCr; a JPEG's own segments say it better. */
  readonly isYbr: boolean
  readonly isSigned: boolean
}

/** A decoded frame: samples adjacent, as numbers of any type. */
export interface DecodedFrame {
  readonly samples: Voxels
  /** What the colours are, where the stream says so or the decoder converted them; otherwise as the tags say. */
  readonly colour?: 'rgb' | 'ybr' | undefined
  /** Bits of a sample in the stream, where they count for its sign. */
  readonly precision?: number
  /** Whether the stream's numbers are signed, where it says so. */
  readonly isSigned?: boolean
  readonly warning?: string | undefined
}

type DecodeFrame = (frame: Uint8Array, shape: FrameShape) => Promise<DecodedFrame>

/** Decoders of frames, by how they are packed. */
export const decoders: Readonly<Record<Exclude<PixelCodec, 'raw'>, DecodeFrame>> = {
  'raw-frames': async (frame, shape) => ({ samples: rawSamples(frame, shape) }),
  'deflated-frames': async (frame, shape) => ({
    samples: rawSamples(inflateRawSync(frame, { maxOutputLength: frameBytes(shape) + 1 }), shape),
  }),
  rle: async (frame, shape) => {
    requirePlausible(frame, shape, { bytesPerByte: 64, what: 'RLE' })
    const { rows, columns, samples, bytesPerSample } = shape
    return { samples: rawSamples(decodeRle(frame, { pixels: rows * columns, samples, bytesPerSample }), shape) }
  },
  jpeg: decodeJpeg,
  'jpeg-lossless': decodeJpeg,
  'jpeg-ls': async (frame, shape) => {
    requireSize(readJpegHeader(frame), shape)
    const decoded = await decodeJpegLs(frame)
    // JPEG-LS streams hold no sign.
    return { ...fromWasm(decoded, shape), precision: decoded.precision, isSigned: false }
  },
  'jpeg-2000': (frame, shape) => jpeg2000Frame(frame, shape, decodeJpeg2000),
  htj2k: (frame, shape) =>
    jpeg2000Frame(frame, shape, stream => decodeHtj2k(stream, shape.rows * shape.columns * shape.samples)),
}

/** Samples that a JPEG 2000 stream of any length may claim: blank pictures take a few bytes. */
const freeJpeg2000Samples = 2 ** 25

async function jpeg2000Frame(
  frame: Uint8Array,
  shape: FrameShape,
  decode: (stream: Uint8Array) => Promise<WasmSamples>,
): Promise<DecodedFrame> {
  const header = readJpeg2000Header(frame)
  requireSize(header && { ...header, componentIds: { length: header.components } }, shape)
  if ((header?.precision ?? 0) > 16)
    throw dataErrors.DICOM_UNSUPPORTED({ what: `JPEG 2000 frames of ${header?.precision ?? 0} bits` })
  if (shape.rows * shape.columns * shape.samples > freeJpeg2000Samples)
    requirePlausible(frame, shape, { bytesPerByte: 2000, what: 'JPEG 2000' })
  // The decoders clip signed samples of 8 bits or less at zero; without their sign they keep all values.
  const isRaised = header?.isSigned === true && header.precision <= 8
  const isWhole = endsStream(frame)
  const stream = isWhole ? frame : withEnd(frame)
  const decoded = await decode(isRaised ? withoutSign(stream) : stream)
  const { samples } = fromWasm(decoded, shape)
  const { precision } = decoded
  return {
    samples: isRaised ? lowered(samples, 2 ** (precision - 1)) : samples,
    precision,
    isSigned: isRaised || decoded.isSigned,
    ...(!isWhole && { warning: damagedWarning }),
  }
}

/** Bytes that may pad a frame behind its end. */
const endingBytes = 16

/** Whether a stream has its end marker; the decoders refuse one that has not, though all its pixels may be there. */
function endsStream(frame: Uint8Array): boolean {
  const end = Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength).subarray(-endingBytes)
  return end.includes(Buffer.of(0xff, 0xd9))
}

/** Zeros that may stand where the end marker should: its two bytes, and one that makes the length even. */
const maxEndingZeros = 3

/** Ends a stream in place of the zeros where its marker should stand, or behind its last byte. */
function withEnd(frame: Uint8Array): Uint8Array {
  let zeros = 0
  while (zeros < maxEndingZeros && frame.at(-1 - zeros) === 0) zeros++
  return Buffer.concat([frame.subarray(0, frame.length - zeros), Uint8Array.of(0xff, 0xd9)])
}

function lowered(samples: Voxels, by: number): Int8Array<ArrayBuffer> {
  const out = new Int8Array(samples.length)
  for (let i = 0; i < samples.length; i++) out[i] = samples[i]! - by // bounded by the loop
  return out
}

function fromWasm(decoded: WasmSamples, shape: FrameShape): DecodedFrame {
  const { rows, columns, samples } = shape
  requireSize({ ...decoded, componentIds: { length: decoded.components } }, shape)
  if (decoded.samples.length < rows * columns * samples)
    throw dataErrors.DICOM_INVALID({ problem: 'a frame decodes to fewer pixels than its header claims' })
  const whole = decoded.samples.subarray(0, rows * columns * samples)
  if (!decoded.isPlanar) return { samples: whole }
  const dtype = decoded.precision <= 8 ? 'uint8' : 'uint16'
  return { samples: interleavePlanes(whole, { plane: rows * columns, dtype }) }
}

const lossless = 3
const libraryProcesses = new Set([0, 1, 2])

async function decodeJpeg(frame: Uint8Array, shape: FrameShape): Promise<DecodedFrame> {
  const header = readJpegHeader(frame)
  requireSize(header, shape)
  const stream = header && streamColour(header)
  const tagged = shape.isYbr ? 'ybr' : 'rgb'
  const colour = shape.samples === 3 ? (stream ?? tagged) : undefined
  const warning =
    colour !== undefined && colour !== tagged
      ? `the JPEG frames are ${colour === 'ybr' ? 'YCbCr' : 'RGB'} by their own header, the tags say otherwise; they were read as they are`
      : undefined
  const isLibrarys = header !== undefined && libraryProcesses.has(header.process) && header.precision === 8
  requirePlausible(frame, shape, { bytesPerByte: header?.process === lossless ? 32 : 1100, what: 'JPEG' })
  // Picture libraries read lossy streams of 8 bits only.
  if (!isLibrarys) return { samples: ownSamples(frame, shape), colour, warning }
  const decoded = await librarySamples(frame, shape, colour)
  return { samples: decoded.samples, colour: colour && 'rgb', warning: decoded.warning ?? warning }
}

async function librarySamples(
  frame: Uint8Array,
  shape: FrameShape,
  colour: 'rgb' | 'ybr' | undefined,
): Promise<DecodedFrame> {
  const stream = colour === 'rgb' ? withoutColourTransform(frame) : frame
  const read = async (failOn: 'warning' | 'truncated') => {
    const picture = sharp(stream, { failOn, ignoreIcc: true })
    return (shape.samples === 1 ? picture.toColourspace('b-w') : picture.toColourspace('srgb')).raw().toBuffer()
  }
  const samplesOf = (data: Buffer) => fitting(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), shape)
  try {
    return { samples: samplesOf(await read('warning')) }
  } catch {
    return { samples: samplesOf(await read('truncated')), warning: damagedWarning }
  }
}

const damagedWarning = 'the data of a frame are damaged; a part of the picture may be wrong'

/** An Adobe segment that says that the colours are not transformed. */
const adobeSegment = [0xff, 0xee, 0, 14, 0x41, 0x64, 0x6f, 0x62, 0x65, 0, 100, 0, 0, 0, 0, 0]

/** Decoders take a JPEG stream for YCbCr unless an Adobe segment says otherwise and no JFIF segment is there. */
function withoutColourTransform(frame: Uint8Array): Uint8Array {
  const whole = Buffer.concat([Uint8Array.of(0xff, 0xd8), Uint8Array.from(adobeSegment), frame.subarray(2)])
  const jfif = whole.indexOf('JFIF\0')
  if (jfif >= 0 && readJpegHeader(frame)?.hasJfif === true) whole.write('none', jfif)
  return whole
}

function ownSamples(frame: Uint8Array, shape: FrameShape): Uint16Array {
  const { rows, columns, samples } = shape
  const decoded = decodeJpegSamples(frame, rows * columns * samples)
  requireSize({ ...decoded, componentIds: { length: decoded.components } }, shape)
  return decoded.samples
}

/** The size that a stream claims must be the one of the tags: it is checked before anything is decoded. */
function requireSize(
  header: (Pick<JpegHeader, 'width' | 'height'> & { readonly componentIds: { readonly length: number } }) | undefined,
  { rows, columns, samples }: FrameShape,
): void {
  if (!header) throw dataErrors.DICOM_INVALID({ problem: 'a frame is not packed as the transfer syntax says' })
  const { width, height, componentIds } = header
  if (width !== columns || height !== rows || componentIds.length !== samples)
    throw dataErrors.DICOM_INVALID({
      problem: `a frame is ${width} x ${height} x ${componentIds.length}, the tags say ${columns} x ${rows} x ${samples}`,
    })
}

/** No stream of the kind holds more than `bytesPerByte` bytes of pixels in one of its own. */
function requirePlausible(
  frame: Uint8Array,
  shape: FrameShape,
  { bytesPerByte, what }: { readonly bytesPerByte: number; readonly what: string },
): void {
  if (frameBytes(shape) > frame.length * bytesPerByte)
    throw dataErrors.DICOM_INVALID({ problem: `a ${what} frame of ${frame.length} bytes cannot hold its pixels` })
}

function rawSamples(bytes: Uint8Array, shape: FrameShape): Voxels {
  const { rows, columns, samples, bytesPerSample, dtype } = shape
  const whole = fitting(bytes, shape, bytesPerSample)
  return readVoxels(whole, { start: 0, count: rows * columns * samples, dtype, isLittleEndian: true })
}

function fitting(bytes: Uint8Array, { rows, columns, samples }: FrameShape, bytesPerSample = 1): Uint8Array {
  const need = rows * columns * samples * bytesPerSample
  if (bytes.length < need)
    throw dataErrors.DICOM_INVALID({ problem: `a frame decodes to ${bytes.length} bytes, the tags claim ${need}` })
  return bytes.subarray(0, need)
}

function frameBytes({ rows, columns, samples, bytesPerSample }: FrameShape): number {
  return rows * columns * samples * bytesPerSample
}

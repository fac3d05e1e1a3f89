// Other packages compile this source too, and do not see ambient declarations on their own.
// oxlint-disable-next-line typescript/triple-slash-reference
/// <reference path="./codec-modules.d.ts" />
import createCharLs from '@cornerstonejs/codec-charls/decodewasmjs'
import createOpenJpeg from '@cornerstonejs/codec-openjpeg/decodewasmjs'
import sharp from 'sharp'
import { dataErrors } from '../errors.ts'
import { decodeJpegSamples } from '../jpeg/decode-jpeg.ts'
import { decodeRle } from './rle.ts'
import type { PixelCodec } from './transfer-syntax.ts'

/** What a decoder must know of a frame. */
export interface FrameShape {
  readonly rows: number
  readonly columns: number
  readonly samples: number
  readonly bytesPerSample: number
  /** Whether a JPEG's colours are stored as red, green, blue, whatever its own markers say. */
  readonly isRgb: boolean
}

type DecodeFrame = (frame: Uint8Array, shape: FrameShape) => Promise<Uint8Array>

/** Most bytes a decoded frame may have, checked before a decoder runs: a frame of 16,384 x 16,384 pixels of 16 bits. */
export const maxFrameBytes = 2 ** 29

/** Decoders of compressed frames: bytes with samples adjacent, little-endian. */
export const decoders: Readonly<Record<Exclude<PixelCodec, 'raw'>, DecodeFrame>> = {
  rle: async (frame, { rows, columns, samples, bytesPerSample }) =>
    decodeRle(frame, { pixels: rows * columns, samples, bytesPerSample }),
  jpeg: decodeJpeg,
  'jpeg-lossless': async (frame, shape) => ownDecoder(frame, shape),
  'jpeg-ls': async (frame, shape) => {
    const { JpegLSDecoder } = await (charLs ??= createCharLs(silent))
    return runDecoder(new JpegLSDecoder(), frame, shape)
  },
  'jpeg-2000': async (frame, shape) => {
    const { J2KDecoder } = await (openJpeg ??= createOpenJpeg(silent))
    return runDecoder(new J2KDecoder(), frame, shape)
  },
}

/** The modules would print their progress to stdout. */
const silent = { print: () => undefined, printErr: () => undefined }

let charLs: ReturnType<typeof createCharLs> | undefined
let openJpeg: ReturnType<typeof createOpenJpeg> | undefined

/** Decodes by a WebAssembly module, whose memory is freed afterwards. */
function runDecoder(decoder: CornerstoneDecoder, frame: Uint8Array, shape: FrameShape): Uint8Array {
  try {
    decoder.getEncodedBuffer(frame.length).set(frame)
    decoder.decode()
    const { width, height, componentCount, bitsPerSample } = decoder.getFrameInfo()
    if (width !== shape.columns || height !== shape.rows || componentCount !== shape.samples)
      throw dataErrors.DICOM_INVALID({
        problem: `a frame is ${width} x ${height} x ${componentCount}, the tags say otherwise`,
      })
    const decoded = new Uint8Array(decoder.getDecodedBuffer())
    return bitsPerSample <= 8 && shape.bytesPerSample === 2 ? widened(decoded) : fitting(decoded, shape)
  } finally {
    decoder.delete()
  }
}

/** Eight-bit frames of sixteen-bit pixels are stored by some writers. */
function widened(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(Uint16Array.from(bytes).buffer)
}

async function decodeJpeg(frame: Uint8Array, shape: FrameShape): Promise<Uint8Array> {
  // Picture libraries read 8 bits only.
  if (jpegPrecision(frame) !== 8) return ownDecoder(frame, shape)
  const stream = shape.isRgb ? withoutColourTransform(frame) : frame
  const picture = sharp(stream, { failOn: 'truncated', ignoreIcc: true })
  const { data } = await (shape.samples === 1 ? picture.toColourspace('b-w') : picture.toColourspace('srgb'))
    .raw()
    .toBuffer({ resolveWithObject: true })
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  return shape.bytesPerSample === 2 ? widened(bytes) : fitting(bytes, shape)
}

/** An Adobe segment that says that the colours are not transformed. */
const adobeSegment = [0xff, 0xee, 0, 14, 0x41, 0x64, 0x6f, 0x62, 0x65, 0, 100, 0, 0, 0, 0, 0]

/** A JPEG stream without an Adobe segment is taken for YCbCr by decoders; the tags know better. */
function withoutColourTransform(frame: Uint8Array): Uint8Array {
  const hasJfif = frame[2] === 0xff && frame[3] === 0xe0
  const rest = hasJfif ? 4 + (frame[4]! << 8) + frame[5]! : 2 // a JPEG stream is longer than its first segment
  const hasAdobe = frame[rest] === 0xff && frame[rest + 1] === 0xee
  return hasAdobe ? frame : Uint8Array.from([0xff, 0xd8, ...adobeSegment, ...frame.subarray(rest)])
}

function ownDecoder(frame: Uint8Array, shape: FrameShape): Uint8Array {
  const { rows, columns, samples, bytesPerSample } = shape
  const decoded = decodeJpegSamples(frame, rows * columns * samples)
  if (decoded.width !== columns || decoded.height !== rows || decoded.components !== samples)
    throw dataErrors.DICOM_INVALID({
      problem: `a frame is ${decoded.width} x ${decoded.height}, the tags say otherwise`,
    })
  return bytesPerSample === 1 ? Uint8Array.from(decoded.samples) : new Uint8Array(decoded.samples.buffer)
}

/** Bits per sample of a JPEG stream, from its start-of-frame segment. */
function jpegPrecision(frame: Uint8Array): number | undefined {
  for (let at = 2; at + 4 < frame.length && frame[at] === 0xff;) {
    const marker = frame[at + 1]! // inside by the loop's condition, as are the next ones
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) return frame[at + 4]
    at += 2 + (frame[at + 2]! << 8) + frame[at + 3]!
  }
  return undefined
}

function fitting(bytes: Uint8Array, { rows, columns, samples, bytesPerSample }: FrameShape): Uint8Array {
  const need = rows * columns * samples * bytesPerSample
  if (bytes.length < need)
    throw dataErrors.DICOM_INVALID({ problem: `a frame decodes to ${bytes.length} bytes, the tags claim ${need}` })
  return bytes.subarray(0, need)
}

// Other packages compile this source too, and do not see ambient declarations on their own.
// oxlint-disable-next-line typescript/triple-slash-reference
/// <reference path="./codec-modules.d.ts" />
import createCharLs from '@cornerstonejs/codec-charls/decodewasmjs'
import createOpenJpeg from '@cornerstonejs/codec-openjpeg/decodewasmjs'

/** What a WebAssembly decoder gives: samples as they are stored in the stream. */
export interface WasmSamples {
  readonly samples: Uint8Array | Int8Array | Uint16Array | Int16Array
  readonly width: number
  readonly height: number
  readonly components: number
  readonly precision: number
  readonly isSigned: boolean
  /** Whether the samples of a component stand together, instead of those of a pixel. */
  readonly isPlanar: boolean
}

/** The modules would print their progress to stdout; each changes the options it is given, so each gets its own. */
const silent = () => ({ print: () => undefined, printErr: () => undefined })

let charLs: ReturnType<typeof createCharLs> | undefined
let openJpeg: ReturnType<typeof createOpenJpeg> | undefined

/** Decodes a JPEG-LS stream by CharLS. */
export async function decodeJpegLs(stream: Uint8Array): Promise<WasmSamples> {
  const { JpegLSDecoder } = await (charLs ??= createCharLs(silent()))
  const decoder = new JpegLSDecoder()
  return runDecoder(decoder, stream, () => decoder.getInterleaveMode() === 0)
}

/** Decodes a JPEG 2000 stream by OpenJPEG. */
export async function decodeJpeg2000(stream: Uint8Array): Promise<WasmSamples> {
  const { J2KDecoder } = await (openJpeg ??= createOpenJpeg(silent()))
  return runDecoder(new J2KDecoder(), stream)
}

/** Runs a decoder, whose memory is freed afterwards. */
export function runDecoder(decoder: CornerstoneDecoder, stream: Uint8Array, isPlanar = () => false): WasmSamples {
  try {
    decoder.getEncodedBuffer(stream.length).set(stream)
    decoder.decode()
    const { width, height, componentCount, bitsPerSample, isSigned = false } = decoder.getFrameInfo()
    const bytes = new Uint8Array(decoder.getDecodedBuffer())
    return {
      samples: samplesOf(bytes, bitsPerSample, isSigned),
      width,
      height,
      components: componentCount,
      precision: bitsPerSample,
      isSigned,
      isPlanar: componentCount > 1 && isPlanar(),
    }
  } finally {
    decoder.delete()
  }
}

function samplesOf({ buffer }: Uint8Array<ArrayBuffer>, precision: number, isSigned: boolean): WasmSamples['samples'] {
  if (precision <= 8) return isSigned ? new Int8Array(buffer) : new Uint8Array(buffer)
  const whole = buffer.byteLength - (buffer.byteLength % 2)
  return isSigned ? new Int16Array(buffer, 0, whole / 2) : new Uint16Array(buffer, 0, whole / 2)
}

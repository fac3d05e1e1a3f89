/** What the segments before the first scan of a JPEG or JPEG-LS stream say. */
export interface JpegHeader {
  /** Start-of-frame type: 0 baseline, 1 extended, 2 progressive, 3 lossless, 55 JPEG-LS. */
  readonly process: number
  readonly precision: number
  readonly width: number
  readonly height: number
  readonly componentIds: readonly number[]
  /** Whether a JFIF segment says that colours are YCbCr. */
  readonly hasJfif: boolean
  /** The colour transform of an Adobe segment: 0 none, 1 YCbCr, 2 YCCK. */
  readonly adobeTransform: number | undefined
}

const jpegLs = 0xf7
const notFrames = new Set([0xc4, 0xc8, 0xcc])
/** Segments before the frame header; a stream with more of them is not looked at further. */
const maxSegments = 1000

/** Reads the header of a JPEG or JPEG-LS stream; undefined when it has none. */
export function readJpegHeader(bytes: Uint8Array): JpegHeader | undefined {
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) return undefined
  let [hasJfif, adobeTransform] = [false, undefined as number | undefined]
  let at = 2
  for (let segment = 0; segment < maxSegments && bytes[at] === 0xff; segment++) {
    const marker = bytes[at + 1] ?? 0
    if (marker === 0xff) {
      at++
      continue
    }
    const body = bytes.subarray(at + 4, at + 2 + wordAt(bytes, at + 2))
    const isFrame = (marker >= 0xc0 && marker <= 0xcf && !notFrames.has(marker)) || marker === jpegLs
    if (isFrame) return frameHeader(marker, body, { hasJfif, adobeTransform })
    if (marker >= 0xe0 && marker <= 0xef && startsWith(body, 'JFIF')) hasJfif = true
    if (marker === 0xee && startsWith(body, 'Adobe')) adobeTransform = body[11]
    at += 2 + Math.max(2, wordAt(bytes, at + 2))
  }
  return undefined
}

function frameHeader(
  marker: number,
  body: Uint8Array,
  markers: Pick<JpegHeader, 'hasJfif' | 'adobeTransform'>,
): JpegHeader | undefined {
  const count = body[5] ?? 0
  if (count === 0 || body.length < 6 + 3 * count) return undefined
  return {
    process: marker === jpegLs ? 55 : marker - 0xc0,
    precision: body[0] ?? 0,
    height: wordAt(body, 1),
    width: wordAt(body, 3),
    componentIds: Array.from({ length: count }, (_, i) => body[6 + 3 * i] ?? 0),
    ...markers,
  }
}

function wordAt(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)
}

function startsWith(bytes: Uint8Array, text: string): boolean {
  return String.fromCharCode(...bytes.subarray(0, text.length)) === text
}

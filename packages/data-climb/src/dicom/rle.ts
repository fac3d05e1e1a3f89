import { dataErrors } from '../errors.ts'

const headerBytes = 64
const maxSegments = 15

/**
 * Decodes one DICOM RLE frame: PackBits segments, one per byte of a sample, the most significant first.
 *
 * @param frame the frame's fragment
 * @param samples samples per pixel
 * @param bytesPerSample 1, 2 or 4
 * @returns [pixels * samples * bytesPerSample] bytes, samples adjacent, little-endian
 * @throws DATA_DICOM_INVALID when segments are missing or too short
 */
export function decodeRle(
  frame: Uint8Array,
  {
    pixels,
    samples,
    bytesPerSample,
  }: { readonly pixels: number; readonly samples: number; readonly bytesPerSample: number },
): Uint8Array {
  if (frame.length < headerBytes) throw invalid('an RLE frame is shorter than its header')
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength)
  const segments = view.getUint32(0, true)
  if (segments !== samples * bytesPerSample || segments > maxSegments)
    throw invalid(`an RLE frame has ${segments} segments, not ${samples * bytesPerSample}`)
  const out = new Uint8Array(pixels * samples * bytesPerSample)
  for (let segment = 0; segment < segments; segment++) {
    const start = view.getUint32(4 + segment * 4, true)
    const end = segment + 1 < segments ? view.getUint32(8 + segment * 4, true) : frame.length
    if (start < headerBytes || end > frame.length || start > end) throw invalid('an RLE segment lies outside its frame')
    const sample = Math.floor(segment / bytesPerSample)
    const byte = bytesPerSample - 1 - (segment % bytesPerSample)
    unpackBits(frame.subarray(start, end), pixels, (i, value) => {
      out[(i * samples + sample) * bytesPerSample + byte] = value
    })
  }
  return out
}

function unpackBits(packed: Uint8Array, count: number, put: (i: number, value: number) => void): void {
  let at = 0
  let i = 0
  while (i < count) {
    const control = packed[at++]
    if (control === undefined) throw invalid('an RLE segment ends early')
    if (control === 128) continue
    const isLiteral = control < 128
    const length = Math.min(isLiteral ? control + 1 : 257 - control, count - i)
    if (at + (isLiteral ? length : 1) > packed.length) throw invalid('an RLE segment ends early')
    for (let k = 0; k < length; k++) put(i++, packed[isLiteral ? at + k : at]!) // inside by the check above
    at += isLiteral ? control + 1 : 1
  }
}

function invalid(problem: string): Error {
  return dataErrors.DICOM_INVALID({ problem })
}

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
    const first = sample * bytesPerSample + byte
    unpackBits(frame.subarray(start, end), out, { first, step: samples * bytesPerSample })
  }
  return out
}

/** Unpacks a segment into every `step`-th byte from `first` on. */
function unpackBits(
  packed: Uint8Array,
  out: Uint8Array,
  { first, step }: { readonly first: number; readonly step: number },
): void {
  let [at, to] = [0, first]
  while (to < out.length) {
    const control = packed[at++]
    if (control === undefined) throw invalid('an RLE segment ends early')
    if (control === 128) continue
    const isLiteral = control < 128
    const stored = isLiteral ? control + 1 : 257 - control
    const end = Math.min(to + stored * step, out.length)
    if (at + (isLiteral ? Math.ceil((end - to) / step) : 1) > packed.length) throw invalid('an RLE segment ends early')
    // Inside by the checks above.
    if (isLiteral) for (let from = at; to < end; to += step) out[to] = packed[from++]!
    else for (const value = packed[at]!; to < end; to += step) out[to] = value
    at += isLiteral ? stored : 1
  }
}

function invalid(problem: string): Error {
  return dataErrors.DICOM_INVALID({ problem })
}

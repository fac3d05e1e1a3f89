import type { PixelsToWrite } from './write-data-set.testing.ts'

/**
 * Packs a frame by DICOM's RLE (PS3.5 G): one segment per byte of a sample, the most significant first, with runs where three
 * bytes or more are equal.
 */
export function packRle(pixels: PixelsToWrite['pixels'], samples: number): Uint8Array {
  const width = pixels.BYTES_PER_ELEMENT
  const bytes = new Uint8Array(pixels.buffer, pixels.byteOffset, pixels.byteLength)
  const count = pixels.length / samples
  const segments = Array.from({ length: samples * width }, (_, segment) => {
    const [sample, byte] = [Math.floor(segment / width), width - 1 - (segment % width)]
    return packBits(
      Uint8Array.from({ length: count }, (_value, i) => bytes[(i * samples + sample) * width + byte] ?? 0),
    )
  })
  const header = new Uint32Array(16)
  header[0] = segments.length
  let at = 64
  for (const [i, segment] of segments.entries()) {
    header[i + 1] = at
    at += segment.length
  }
  return Buffer.concat([new Uint8Array(header.buffer), ...segments])
}

const longest = 128

function packBits(bytes: Uint8Array): Uint8Array {
  const out: number[] = []
  for (let at = 0; at < bytes.length;) {
    const run = runAt(bytes, at)
    if (run >= 3) {
      out.push(257 - run, bytes[at] ?? 0)
      at += run
      continue
    }
    let end = at + 1
    while (end < bytes.length && end - at < longest && runAt(bytes, end) < 3) end++
    out.push(end - at - 1, ...bytes.subarray(at, end))
    at = end
  }
  if (out.length % 2 === 1) out.push(0)
  return Uint8Array.from(out)
}

function runAt(bytes: Uint8Array, at: number): number {
  let length = 1
  while (length < longest && bytes[at + length] === bytes[at] && at + length < bytes.length) length++
  return length
}

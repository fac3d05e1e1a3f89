import { dataErrors } from '../errors.ts'
import { EntropyReader, type HuffmanTable } from './entropy-reader.ts'
import type { JpegScan } from './jpeg-stream.ts'

/** Position of each coefficient of the zig-zag order in an 8 x 8 block. */
const zigZag = [
  0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
  35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47,
  55, 62, 63,
]

/** Basis of the inverse cosine transform: entry u * 8 + x is c(u) / 2 * cos((2 x + 1) u pi / 16). */
const basis = Float64Array.from({ length: 64 }, (_, i) => {
  const [u, x] = [i >> 3, i & 7]
  return (u === 0 ? Math.SQRT1_2 : 1) * 0.5 * Math.cos(((2 * x + 1) * u * Math.PI) / 16)
})

/** Decodes a grey sequential scan; returns the position after its data. */
export function decodeExtendedScan(bytes: Uint8Array, scan: JpegScan, out: Uint16Array): number {
  const { frame, restartInterval, quantisation } = scan
  const [component] = scan.components
  const table = quantisation.get(frame.components[0]?.quantisation ?? 0)
  if (!component?.dc || !component.ac || !table)
    throw dataErrors.DICOM_INVALID({ problem: 'a JPEG scan lacks its tables' })
  if (scan.selection !== 0 || scan.selectionEnd !== 63)
    throw dataErrors.DICOM_INVALID({ problem: 'a sequential JPEG scan does not hold coefficients 0 to 63' })
  const reader = new EntropyReader(bytes, scan.dataStart)
  const [across, down] = [Math.ceil(frame.width / 8), Math.ceil(frame.height / 8)]
  const block = new Float64Array(64)
  let dc = 0
  for (let i = 0; i < across * down; i++) {
    if (restartInterval > 0 && i > 0 && i % restartInterval === 0) {
      reader.restart()
      dc = 0
    }
    dc += readBlock(reader, { dc: component.dc, ac: component.ac, table }, block)
    block[0] = dc * table[0]! // 64 entries
    place(block, { left: (i % across) * 8, top: Math.floor(i / across) * 8, frame, out })
  }
  return reader.position
}

/** Reads the coefficients of a block, multiplied by their steps; the first is left to the caller, whose difference is returned. */
function readBlock(
  reader: EntropyReader,
  { dc, ac, table }: { dc: HuffmanTable; ac: HuffmanTable; table: Uint16Array },
  block: Float64Array,
): number {
  block.fill(0)
  const difference = reader.receiveExtend(reader.decode(dc))
  for (let k = 1; k < 64; k++) {
    const symbol = reader.decode(ac)
    const size = symbol & 15
    if (size === 0 && symbol !== 0xf0) break
    k += symbol >> 4
    if (size > 0 && k < 64) block[zigZag[k]!] = reader.receiveExtend(size) * table[k]! // 64 entries each
  }
  return difference
}

interface Placement {
  readonly left: number
  readonly top: number
  readonly frame: JpegScan['frame']
  readonly out: Uint16Array
}

const rows = new Float64Array(64)

/** Transforms a block back and writes the part of it that lies in the picture. */
function place(block: Float64Array, { left, top, frame, out }: Placement): void {
  const [half, most] = [2 ** (frame.precision - 1), 2 ** frame.precision - 1]
  for (let v = 0; v < 8; v++)
    for (let x = 0; x < 8; x++) {
      let sum = 0
      for (let u = 0; u < 8; u++) sum += block[v * 8 + u]! * basis[u * 8 + x]! // 64 entries each
      rows[v * 8 + x] = sum
    }
  for (let y = 0; y < 8 && top + y < frame.height; y++)
    for (let x = 0; x < 8 && left + x < frame.width; x++) {
      let sum = 0
      for (let v = 0; v < 8; v++) sum += rows[v * 8 + x]! * basis[v * 8 + y]! // 64 entries each
      out[(top + y) * frame.width + left + x] = Math.max(0, Math.min(most, Math.round(sum) + half))
    }
}

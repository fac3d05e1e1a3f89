import { storedBlockSize } from './block-size.ts'
import type { RoundedRows } from './round-blocks.ts'

/** Gives back rounded weights: scale * (code − 8) or scale * (code − 128), by the words of MatMulNBits. @returns [rows, inner] */
export function widenBlocks(
  { codes, scales }: RoundedRows,
  inner: number,
  bits: 4 | 8,
  blockSize: number = storedBlockSize,
): Float32Array {
  const blocks = Math.ceil(inner / blockSize)
  const rows = scales.length / blocks
  return Float32Array.from({ length: rows * inner }, (_, i) => {
    const [row, column] = [Math.floor(i / inner), i % inner]
    const block = row * blocks + Math.floor(column / blockSize)
    const place = block * blockSize + (column % blockSize)
    const byte = codes[bits === 8 ? place : place >> 1]!
    const code = bits === 8 ? byte : place % 2 === 0 ? byte & 15 : byte >> 4
    return scales[block]! * (code - 2 ** (bits - 1))
  })
}

import { storedBlockSize, type BlockSize } from './block-size.ts'

/** Where rounded rows go. */
export interface RoundedRows {
  /** [rows, blocks, half a block] in four bits, [rows, blocks, a block] in eight. */
  readonly codes: Uint8Array
  /** [rows, blocks] */
  readonly scales: Float32Array
}

/**
 * Rounds rows of weights to four or eight bits, on shared memory.
 *
 * @param values [rows, inner]
 */
export function roundBlocks(
  values: Float32Array,
  inner: number,
  bits: 4 | 8,
  blockSize: BlockSize = storedBlockSize,
): RoundedRows {
  const blocks = (values.length / inner) * Math.ceil(inner / blockSize)
  const rounded = {
    codes: new Uint8Array(new SharedArrayBuffer((blocks * blockSize * bits) / 8)),
    scales: new Float32Array(new SharedArrayBuffer(4 * blocks)),
  }
  const round = bits === 4 ? roundToInt4 : roundToInt8
  round(values, inner, blockSize, rounded)
  return rounded
}

/**
 * Rounds rows to four bits in blocks, symmetrically: the weight of largest magnitude in a block becomes the code 0, so
 * the scale is that weight / −8 (as llama.cpp's Q4_0 and ONNX Runtime's quantizer for MatMulNBits do). A row's last block may
 * be short; codes behind its end are zeros.
 *
 * @param values [rows, inner]
 */
function roundToInt4(values: Float32Array, inner: number, blockSize: number, { codes, scales }: RoundedRows): void {
  const blocks = Math.ceil(inner / blockSize)
  for (let block = 0; block < scales.length; block++) {
    const start = Math.floor(block / blocks) * inner + (block % blocks) * blockSize
    const end = Math.min(start + blockSize, (Math.floor(block / blocks) + 1) * inner)
    let extreme = 0
    let largest = 0
    for (let i = start; i < end; i++) {
      const value = values[i]!
      const magnitude = value < 0 ? -value : value
      if (magnitude > largest) {
        largest = magnitude
        extreme = value
      }
    }
    const scale = extreme / -8
    scales[block] = scale
    const inverse = scale === 0 ? 0 : 1 / scale
    let to = (block * blockSize) / 2
    // The sum is at least 0.5: cutting it off rounds to the nearest.
    for (let i = start; i < end; i += 2) {
      const low = Math.min(15, (values[i]! * inverse + 8.5) | 0)
      const high = i + 1 < end ? Math.min(15, (values[i + 1]! * inverse + 8.5) | 0) : 8
      codes[to++] = low | (high << 4)
    }
  }
}

/**
 * Rounds rows to eight bits in blocks, symmetrically: the scale is the largest magnitude / 127, a code is 128 above the
 * rounded weight (as llama.cpp's Q8_0).
 *
 * @param values [rows, inner]
 */
function roundToInt8(values: Float32Array, inner: number, blockSize: number, { codes, scales }: RoundedRows): void {
  const blocks = Math.ceil(inner / blockSize)
  for (let block = 0; block < scales.length; block++) {
    const start = Math.floor(block / blocks) * inner + (block % blocks) * blockSize
    const end = Math.min(start + blockSize, (Math.floor(block / blocks) + 1) * inner)
    let largest = 0
    for (let i = start; i < end; i++) {
      const value = values[i]!
      const magnitude = value < 0 ? -value : value
      if (magnitude > largest) largest = magnitude
    }
    const scale = largest / 127
    scales[block] = scale
    const inverse = scale === 0 ? 0 : 1 / scale
    const to = block * blockSize - start
    for (let i = start; i < end; i++) codes[to + i] = (values[i]! * inverse + 128.5) | 0
  }
}

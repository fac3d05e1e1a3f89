import { requireOption } from './require-option.ts'

/** Weights that share a scale. */
const blockSize = 32

/** Four-bit weights: two codes in a byte, the first in the lower bits; a weight is scale * (code − 8). */
export interface Int4Weights {
  /** [size / 2] */
  readonly packed: Uint8Array
  /** [size / 32] */
  readonly scales: Float32Array
}

/**
 * Rounds weights to four bits in blocks of 32, symmetrically: the weight of largest magnitude in a block becomes the code
 * 0, so the scale is that weight / −8 (as llama.cpp's Q4_0 and ONNX Runtime's quantizer for MatMulNBits do).
 *
 * @param values [size], a multiple of 32, a matrix row by row whose rows are multiples of 32
 * @throws MODEL_OPTION_INVALID when the number of weights is no multiple of 32
 */
export function quantizeInt4(values: Float32Array): Int4Weights {
  requireOption(values.length % blockSize === 0, 'weights', values.length, `multiples of ${blockSize} weights`)
  const packed = new Uint8Array(new SharedArrayBuffer(values.length / 2))
  const scales = new Float32Array(new SharedArrayBuffer((4 * values.length) / blockSize))
  for (let block = 0; block < scales.length; block++) {
    const scale = extreme(values, block * blockSize) / -8
    scales[block] = scale
    const inverse = scale === 0 ? 0 : 1 / scale
    for (let i = block * blockSize; i < (block + 1) * blockSize; i += 2) {
      packed[i >> 1] = code(values[i]! * inverse) | (code(values[i + 1]! * inverse) << 4)
    }
  }
  return { packed, scales }
}

/** Gives back what was rounded. @returns [size] */
export function dequantizeInt4({ packed, scales }: Int4Weights): Float32Array {
  return Float32Array.from({ length: 2 * packed.length }, (_, i) => {
    const byte = packed[i >> 1]!
    return scales[Math.floor(i / blockSize)]! * ((i % 2 === 0 ? byte & 15 : byte >> 4) - 8)
  })
}

/** The weight of largest magnitude in a block, with its sign. */
function extreme(values: Float32Array, start: number): number {
  let found = 0
  for (let i = start; i < start + blockSize; i++) if (Math.abs(values[i]!) > Math.abs(found)) found = values[i]!
  return found
}

function code(scaled: number): number {
  return Math.max(0, Math.min(15, Math.round(scaled) + 8))
}

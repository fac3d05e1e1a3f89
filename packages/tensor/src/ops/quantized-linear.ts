import type { Dense } from '../dense.ts'
import { tensorErrors } from '../errors.ts'
import { sameShape, sizeOf, type TensorType } from '../graph/tensor.ts'
import { defineOp, type OpDefinition } from './definition.ts'
import type { OpAttributes } from './op-attributes.ts'
import { matmulOps } from './matmul.ts'

/** Weights that may share a scale. */
const blockSizes: ReadonlySet<number> = new Set([32, 64, 128])

/** Weights that share a scale, by the bytes of a block's codes. */
function blockSizeOf(packed: { readonly shape: readonly number[] }, bits: 4 | 8): number {
  return (packed.shape[2]! * 8) / bits
}

/** Names of the operands that are there. */
function named<T>(inputs: readonly T[], { hasZeroPoints, hasBias }: OpAttributes['QuantizedLinear']) {
  const [x, packed, scales, ...rest] = inputs
  return {
    x: x!,
    packed: packed!,
    scales: scales!,
    zeroPoints: hasZeroPoints ? rest[0] : undefined,
    bias: hasBias ? rest[hasZeroPoints ? 1 : 0] : undefined,
  }
}

function fits(inputs: readonly TensorType[], attributes: OpAttributes['QuantizedLinear']): boolean {
  const { x, packed, scales, zeroPoints, bias } = named(inputs, attributes)
  const [outer, blocks] = packed.shape
  const zeroBytes = attributes.bits === 8 ? blocks! : Math.ceil(blocks! / 2)
  const blockSize = blockSizeOf(packed, attributes.bits)
  return (
    x.shape.length === 2 &&
    packed.shape.length === 3 &&
    blockSizes.has(blockSize) &&
    Math.ceil(x.shape[1]! / blockSize) === blocks &&
    packed.dtype === 'uint8' &&
    sameShape(scales.shape, [outer!, blocks]) &&
    (!zeroPoints || (zeroPoints.dtype === 'uint8' && sameShape(zeroPoints.shape, [outer!, zeroBytes]))) &&
    (!bias || sameShape(bias.shape, [outer!]))
  )
}

/**
 * y = x Wᵀ + b with W in four or eight bits, in blocks of 32, 64 or 128 that share a scale: inputs x [N, I], packed uint8 [O, blocks,
 * bytes of a block], scales float32 [O, blocks], then, where they are there, zero points uint8 (packed as the codes are) and the
 * bias [O]. A weight is scale * (code − zero point), the zero point being 8 or 128 where there is none; of two codes in a byte the
 * lower four bits come first. Activations are quantised to eight bits by the runtime (accuracy level 4), which is what makes it
 * fast, unless they are to stay as they are (level 1). For inference: it has no gradient.
 */
export const quantizedLinearOps = {
  QuantizedLinear: defineOp<OpAttributes['QuantizedLinear']>({
    infer: (inputs, attributes) => {
      if (fits(inputs, attributes)) return [{ shape: [inputs[0]!.shape[0]!, inputs[1]!.shape[0]!], dtype: 'float32' }]
      const shapes = inputs.map(({ shape, dtype }) => `${dtype} [${shape.join(', ')}]`).join(', ')
      throw tensorErrors.SHAPE({ op: 'quantizedLinear', reason: `x, packed weights and scales are ${shapes}` })
    },
    emit: (onnx, { inputs, outputs, inputTypes, attributes }) => {
      const { x, packed, scales, zeroPoints = '', bias } = named(inputs, attributes)
      const sizes = { K: inputTypes[0]!.shape[1]!, N: inputTypes[1]!.shape[0]!, bits: attributes.bits }
      const all = [x, packed, scales, ...(zeroPoints || bias ? [zeroPoints] : []), ...(bias ? ['', bias] : [])]
      const settings = {
        ...sizes,
        block_size: blockSizeOf(inputTypes[1]!, attributes.bits),
        accuracy_level: attributes.isExact ? 1 : 4,
      }
      onnx.node('MatMulNBits', all, outputs, settings, 'com.microsoft')
    },
    flops: ([x, packed]) => 2 * sizeOf(x!.shape) * packed!.shape[0]!,
    tfjs: (tf, inputs, attributes) => {
      const { x, packed, scales, zeroPoints, bias } = named(inputs, attributes)
      const blockSize = blockSizeOf(packed, attributes.bits)
      const stored = {
        blockSize,
        packed: packed.dataSync(),
        scales: scales.dataSync(),
        zeroPoints: zeroPoints?.dataSync(),
      }
      const shape: [number, number] = [packed.shape[0]!, x.shape[1]!]
      const weights = tf.tensor(Float32Array.from(unpacked(stored, shape, attributes.bits)), shape, 'float32')
      const product = tf.matMul(x, weights, false, true)
      return [bias ? tf.add(product, bias) : product]
    },
    reference: (inputs, attributes) => {
      const { x, packed, scales, zeroPoints, bias } = named(inputs, attributes)
      const blockSize = blockSizeOf(packed, attributes.bits)
      const stored = {
        blockSize,
        packed: numbers(packed),
        scales: numbers(scales),
        zeroPoints: zeroPoints && numbers(zeroPoints),
      }
      const shape: [number, number] = [packed.shape[0]!, x.shape[1]!]
      const matrix: Dense = { shape, dtype: 'float32', data: unpacked(stored, shape, attributes.bits) }
      return matmulOps.Gemm.reference([x, matrix, ...(bias ? [bias] : [])], { transposeA: false, transposeB: true })
    },
  }),
} satisfies Record<string, OpDefinition<never>>

/** Floats and bytes alone, by `infer`. */
function numbers({ data }: Dense): ArrayLike<number> {
  return data as Float64Array // never of big integers
}

interface Stored {
  readonly blockSize: number
  readonly packed: ArrayLike<number>
  readonly scales: ArrayLike<number>
  readonly zeroPoints: ArrayLike<number> | undefined
}

/** The weights, row by row; a row's last block may hold codes behind its end. */
function unpacked(
  { blockSize, packed, scales, zeroPoints }: Stored,
  [outer, inner]: readonly [number, number],
  bits: 4 | 8,
): Float64Array {
  const blocks = Math.ceil(inner / blockSize)
  const codeAt = (codes: ArrayLike<number>, start: number, at: number): number =>
    bits === 8 ? codes[start + at]! : at % 2 === 0 ? codes[start + (at >> 1)]! & 15 : codes[start + (at >> 1)]! >> 4
  const rowBytes = (blocks * blockSize * bits) / 8
  const zeroBytes = bits === 8 ? blocks : Math.ceil(blocks / 2)
  return Float64Array.from({ length: outer * inner }, (_, i) => {
    const [row, at] = [Math.floor(i / inner), i % inner]
    const block = Math.floor(at / blockSize)
    const zero = zeroPoints ? codeAt(zeroPoints, row * zeroBytes, block) : 2 ** (bits - 1)
    return scales[row * blocks + block]! * (codeAt(packed, row * rowBytes, at) - zero)
  })
}

import type { Dense } from '../dense.ts'
import { tensorErrors } from '../errors.ts'
import { sameShape, type TensorType } from '../graph/tensor.ts'
import { defineOp, type OpDefinition } from './definition.ts'

/** ONNX's number of float32. */
const onnxFloat = 1

/** Codes of a vector of D that share a scale. */
function blockOf(width: number): number {
  return width % 32 === 0 ? 32 : width
}

function fits(values: TensorType, scales: TensorType | undefined): boolean {
  if (!scales) return values.dtype === 'float16'
  const width = values.shape.at(-1) ?? 1
  return values.dtype === 'int8' && sameShape(scales.shape, [...values.shape.slice(0, -1), width / blockOf(width)])
}

/** What is kept of past tokens, widened where it is read: inputs float16 [..., D], or int8 [..., D] and scales [..., blocks]. */
export const cacheFloatsOps = {
  CacheFloats: defineOp({
    infer: inputs => {
      const [values, scales] = inputs as readonly [TensorType, TensorType?] // two at most by `cacheFloats`
      if (fits(values, scales)) return [{ shape: values.shape, dtype: 'float32' }]
      const shapes = inputs.map(({ shape, dtype }) => `${dtype} [${shape.join(', ')}]`).join(', ')
      throw tensorErrors.SHAPE({ op: 'cacheFloats', reason: `values and scales are ${shapes}` })
    },
    emit: (onnx, { inputs, outputs, inputTypes }) => {
      if (inputs.length === 1) onnx.node('Cast', inputs, outputs, { to: onnxFloat })
      else {
        const [{ shape }] = inputTypes as readonly [TensorType] // the codes
        onnx.node('DequantizeLinear', inputs, outputs, { axis: shape.length - 1, block_size: blockOf(shape.at(-1)!) })
      }
    },
    tfjs: (tf, [values, scales]) => {
      if (!scales) return [tf.add(values!, 0)]
      const [width, blocks] = [values!.shape.at(-1)!, scales.shape.at(-1)!]
      const lead = values!.shape.slice(0, -1)
      const split = tf.reshape(values!, [...lead, blocks, width / blocks])
      return [tf.reshape(tf.mul(split, tf.reshape(scales, [...lead, blocks, 1])), values!.shape)]
    },
    reference: ([values, scales]) => [referenceOf(values!, scales)],
  }),
} satisfies Record<string, OpDefinition<never>>

function referenceOf(values: Dense, scales: Dense | undefined): Dense {
  const block = blockOf(values.shape.at(-1) ?? 1)
  const numbers = Float64Array.from(values.data as Float64Array | Int8Array) // of the two types that fit
  const data = scales ? numbers.map((code, i) => code * Number(scales.data[Math.floor(i / block)])) : numbers
  return { shape: values.shape, dtype: 'float32', data }
}

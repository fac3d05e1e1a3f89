import { denseZeros } from '../dense.ts'
import { tensorErrors } from '../errors.ts'
import { defineOp, type OpDefinition } from './definition.ts'
import type { TfTensor } from './tf.ts'

/** Rotary position embedding; inputs x [B, T, H * headDim], cos and sin [B * T, headDim / 2]. */
export const rotaryOps = {
  Rotary: defineOp({
    infer: ([x, cos, sin]) => {
      const [batch, length, width] = x!.shape
      const half = cos!.shape[1]
      if (
        x!.shape.length !== 3 ||
        cos!.shape[0] !== batch! * length! ||
        width! % (2 * half!) !== 0 ||
        sin!.shape.join() !== cos!.shape.join()
      ) {
        const shapes = [x!, cos!, sin!].map(value => `[${value.shape.join(', ')}]`).join(', ')
        throw tensorErrors.SHAPE({ op: 'rotary', reason: `x, cos, sin have the shapes ${shapes}` })
      }
      return [{ shape: x!.shape, dtype: 'float32' }]
    },
    emit: (onnx, { inputs, outputs, inputTypes }) => {
      const [batch, length] = inputTypes[0]!.shape as readonly [number, number] // rank 3 by `infer`
      const rows = BigInt64Array.from({ length: batch === 1 ? 1 : batch * length }, (_, i) => BigInt(i))
      // One sequence takes the place of its first token alone, so that its length may be open.
      const positions = onnx.constant(rows, batch === 1 ? [1] : [batch, length], 'int64')
      onnx.node('RotaryEmbedding', [inputs[0]!, positions, inputs[1]!, inputs[2]!], outputs, {}, 'com.microsoft')
    },
    tfjs: (tf, [x, cos, sin]) => {
      const [rows, half] = cos!.shape as readonly [number, number] // rank 2 by `infer`
      const heads = tf.reshape(x!, [rows, -1, 2 * half])
      const count = heads.shape[1]!
      const [first, second] = [0, half].map(start => tf.slice(heads, [0, 0, start], [rows, count, half])) as [
        TfTensor,
        TfTensor,
      ] // two in, two out
      const [c, s] = [cos!, sin!].map(value => tf.reshape(value, [rows, 1, half])) as [TfTensor, TfTensor] // two in, two out
      const turned = [tf.sub(tf.mul(first, c), tf.mul(second, s)), tf.add(tf.mul(second, c), tf.mul(first, s))]
      return [tf.reshape(tf.concat(turned, 2), x!.shape)]
    },
    vjp: (ops, { inputs, dy }) => [ops.rotary(dy, inputs[1]!, ops.neg(inputs[2]!)), undefined, undefined],
    reference: ([x, cos, sin]) => {
      const result = denseZeros(x!.shape)
      const [width, half] = [x!.shape[2]!, cos!.shape[1]!]
      for (let i = 0; i < x!.data.length; i++) {
        const [token, inHead] = [Math.floor(i / width), i % (2 * half)]
        const pair = inHead < half ? i + half : i - half
        const at = token * half + (inHead % half)
        const turned = (inHead < half ? -1 : 1) * Number(x!.data[pair]) * Number(sin!.data[at])
        result.data[i] = Number(x!.data[i]) * Number(cos!.data[at]) + turned
      }
      return [result]
    },
  }),
} satisfies Record<string, OpDefinition<never>>

import type { Dense } from '../dense.ts'
import { defineOp, type OpDefinition } from './definition.ts'

/** Softmax of every row (last axis), shifted by the row's maximum. */
export function denseSoftmax(x: Dense): Dense & { data: Float64Array } {
  const width = x.shape.at(-1)!
  const data = Float64Array.from(x.data as Float64Array) // softmax takes floats
  for (let start = 0; start < data.length; start += width) {
    const row = data.subarray(start, start + width)
    const top = row.reduce((a, b) => Math.max(a, b), -Infinity)
    let total = 0
    for (let i = 0; i < width; i++) total += row[i] = Math.exp(row[i]! - top)
    for (let i = 0; i < width; i++) row[i]! /= total
  }
  return { shape: x.shape, dtype: 'float32', data }
}

const lastAxis = { axis: -1, keepDims: true } as const

/** Softmax and its logarithm over the last axis. */
export const softmaxOps = {
  Softmax: defineOp({
    infer: ([x]) => [{ shape: x!.shape, dtype: 'float32' }],
    emit: (onnx, { inputs, outputs }) => onnx.node('Softmax', inputs, outputs, { axis: -1 }),
    tfjs: (tf, [x]) => [tf.softmax(x!)],
    vjp: (ops, { outputs, dy }) => {
      const y = outputs[0]!
      const weighted = ops.mul(dy, y)
      return [ops.sub(weighted, ops.mul(y, ops.sum(weighted, lastAxis)))]
    },
    reference: ([x]) => [denseSoftmax(x!)],
  }),
  LogSoftmax: defineOp({
    infer: ([x]) => [{ shape: x!.shape, dtype: 'float32' }],
    emit: (onnx, { inputs, outputs }) => onnx.node('LogSoftmax', inputs, outputs, { axis: -1 }),
    tfjs: (tf, [x]) => [tf.logSoftmax(x!)],
    vjp: (ops, { outputs, dy }) => [ops.sub(dy, ops.mul(ops.exp(outputs[0]!), ops.sum(dy, lastAxis)))],
    reference: ([x]) => {
      const result = denseSoftmax(x!)
      return [{ ...result, data: result.data.map(Math.log) }]
    },
  }),
} satisfies Record<string, OpDefinition<never>>

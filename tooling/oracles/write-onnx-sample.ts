// Writes a model that uses every feature of encodeModel, for check-onnx.py:
//   node --conditions=@qoq-med/source tooling/oracles/write-onnx-sample.ts /tmp/sample.onnx
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { encodeModel } from '../../packages/tensor/src/onnx/encode-model.ts'

const path = process.argv[2] ?? 'sample.onnx'
const beside = Float32Array.of(99, 1, 2, 3, 4, 5, 6)
const external = { location: 'sample.weights', offsetBytes: 4, lengthBytes: 24 }
const model = encodeModel({
  nodes: [
    { type: 'MatMul', inputs: ['x', 'w'], outputs: ['xw'] },
    { type: 'Add', inputs: ['xw', 'b'], outputs: ['sum'] },
    { type: 'LeakyRelu', inputs: ['sum'], outputs: ['leaky'], attributes: { alpha: { float: 0.5 } } },
    { type: 'Transpose', inputs: ['leaky'], outputs: ['turned'], attributes: { perm: [1, 0] } },
    { type: 'Gather', inputs: ['turned', 'rows'], outputs: ['y'], attributes: { axis: 0 } },
    { type: 'Less', inputs: ['y', 'limit'], outputs: ['small'] },
    { type: 'Gelu', inputs: ['y'], outputs: ['g'], attributes: { approximate: 'tanh' } },
    { type: 'QuickGelu', domain: 'com.microsoft', inputs: ['y'], outputs: ['z'], attributes: { alpha: { float: 1 } } },
  ],
  inputs: [{ name: 'x', dtype: 'float32', shape: [1, 2] }],
  outputs: [
    { name: 'g', dtype: 'float32', shape: [2, 1] },
    { name: 'z', dtype: 'float32', shape: [2, 1] },
    { name: 'small', dtype: 'bool', shape: [2, 1] },
  ],
  initializers: [
    { name: 'w', dtype: 'float32', shape: [2, 3], external },
    { name: 'b', dtype: 'float32', shape: [3], data: Float32Array.of(0, -20, 0.5) },
    { name: 'rows', dtype: 'int32', shape: [2], data: Int32Array.of(2, 0) },
    { name: 'limit', dtype: 'float32', shape: [], data: Float32Array.of(10) },
  ],
})
writeFileSync(path, model)
writeFileSync(join(dirname(path), external.location), beside)

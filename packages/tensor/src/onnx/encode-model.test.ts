import { fromBinary } from '@bufbuild/protobuf'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { describe, expect, test } from 'vitest'
import { encodeModel } from './encode-model.ts'
import { ModelProtoSchema } from './generated/onnx_pb.ts'
import type { OnnxModel } from './onnx-model.ts'

const weights = Float32Array.from([1, 2, 3, 4, 5, 6])
const bias = { name: 'b', dtype: 'float32', shape: [3], data: Float32Array.from([0, -20, 0.5]) } as const
const model: OnnxModel = {
  nodes: [
    { type: 'MatMul', inputs: ['x', 'w'], outputs: ['xw'] },
    { type: 'Add', inputs: ['xw', 'b'], outputs: ['sum'] },
    { type: 'LeakyRelu', inputs: ['sum'], outputs: ['leaky'], attributes: { alpha: { float: 0.5 } } },
    { type: 'Transpose', inputs: ['leaky'], outputs: ['y'], attributes: { perm: [1, 0] } },
    { type: 'QuickGelu', domain: 'com.microsoft', inputs: ['y'], outputs: ['z'], attributes: { alpha: { float: 1 } } },
    { type: 'Cast', inputs: ['x'], outputs: ['rounded'], attributes: { to: 7 } },
  ],
  inputs: [{ name: 'x', dtype: 'float32', shape: [1, 2] }],
  outputs: [
    { name: 'y', dtype: 'float32', shape: [3, 1] },
    { name: 'z', dtype: 'float32', shape: [3, 1] },
    { name: 'rounded', dtype: 'int64', shape: [1, 2] },
  ],
  initializers: [{ name: 'w', dtype: 'float32', shape: [2, 3], data: weights }, bias],
}

function bytesOf({ buffer }: { buffer: ArrayBufferLike }): Uint8Array {
  return new Uint8Array(buffer)
}

async function run(bytes: Uint8Array, options?: InferenceSession.SessionOptions): Promise<InferenceSession.ReturnType> {
  const session = await InferenceSession.create(bytes, options)
  return session.run({ x: new Tensor('float32', Float32Array.from([1, 2]), [1, 2]) })
}

describe('encodeModel', () => {
  test('writes a model that ONNX Runtime computes', async () => {
    const { y, z, rounded } = await run(encodeModel(model))
    expect(y?.data).toEqual(Float32Array.of(9, -4, 15.5))
    expect(z?.data[0]).toBeCloseTo(9 / (1 + Math.exp(-9)), 5)
    expect(rounded?.data).toEqual(BigInt64Array.of(1n, 2n))
  })

  test('states versions, names nodes after their outputs and keeps every attribute', () => {
    const { graph, irVersion, opsetImport } = fromBinary(ModelProtoSchema, encodeModel(model))
    expect(irVersion).toBe(10n)
    expect(opsetImport.map(({ domain, version }) => [domain, version])).toEqual([
      ['', 21n],
      ['com.microsoft', 1n],
    ])
    expect(graph?.node.map(node => node.name)).toEqual(['xw', 'sum', 'leaky', 'y', 'z', 'rounded'])
    expect(graph?.node[3]?.attribute[0]?.ints).toEqual([1n, 0n])
    expect(graph?.initializer.map(({ name, dims }) => [name, dims])).toEqual([
      ['w', [2n, 3n]],
      ['b', [3n]],
    ])
    expect(graph?.initializer[0]?.rawData).toEqual(new Uint8Array(weights.buffer))
  })

  test('stores a view of a larger buffer, shared memory, integers and booleans', () => {
    const shared = new Float32Array(new SharedArrayBuffer(16)).fill(7)
    const initializers = [
      { name: 'view', dtype: 'float32', shape: [2], data: weights.subarray(1, 3) },
      { name: 'shared', dtype: 'float32', shape: [4], data: shared },
      { name: 'int', dtype: 'int32', shape: [], data: Int32Array.of(-3) },
      { name: 'long', dtype: 'int64', shape: [1], data: BigInt64Array.of(-9n) },
      { name: 'bool', dtype: 'bool', shape: [2], data: Uint8Array.of(0, 1) },
    ] as const
    const { graph } = fromBinary(ModelProtoSchema, encodeModel({ nodes: [], inputs: [], outputs: [], initializers }))
    const raw = new Map(graph?.initializer.map(({ name, rawData }) => [name, Uint8Array.from(rawData)]))
    expect(raw.get('view')).toEqual(bytesOf(Float32Array.of(2, 3)))
    expect(raw.get('shared')).toEqual(bytesOf(Float32Array.of(7, 7, 7, 7)))
    expect(raw.get('int')).toEqual(bytesOf(Int32Array.of(-3)))
    expect(raw.get('long')).toEqual(bytesOf(BigInt64Array.of(-9n)))
    expect(raw.get('bool')).toEqual(bytesOf(Uint8Array.of(0, 1)))
  })

  test('refers to constants that lie beside the model', async () => {
    const external = { location: 'weights', offsetBytes: 4, lengthBytes: 24 }
    const w = { name: 'w', dtype: 'float32', shape: [2, 3], external } as const
    const bytes = encodeModel({ ...model, initializers: [w, bias] })
    const beside = Buffer.from(Float32Array.of(99, ...weights).buffer)
    const { y } = await run(bytes, { externalData: [{ path: 'weights', data: beside }] })
    expect(y?.data).toEqual(Float32Array.of(9, -4, 15.5))
  })

  test('refuses constants beyond the limit of protobuf', () => {
    const data = new Float32Array(2 ** 29) // zero pages: nothing is written to them
    const initializers = [{ name: 'w', dtype: 'float32', shape: [2 ** 29], data }] as const
    expect(() => encodeModel({ ...model, initializers })).toThrow(
      expect.objectContaining({ code: 'TENSOR_MODEL_TOO_LARGE' }),
    )
  })
})

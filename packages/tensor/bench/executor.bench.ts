// What the worker thread costs: a graph with 5.2 million weights that computes for a while and answers as many values as
// there are weights, as a training graph does.
//   node --conditions=@qoq-med/source packages/tensor/bench/executor.bench.ts
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { createOrtExecutor } from '../src/executors/ort.ts'
import type { TypedArray } from '../src/graph/tensor.ts'
import { encodeModel } from '../src/onnx/encode-model.ts'
import type { OnnxModel } from '../src/onnx/onnx-model.ts'
import { timeInTurn } from './timing.ts'

const WIDTH = 512
const DEPTH = 20
const ROWS = 2048
const shape = [WIDTH, WIDTH]
const weights = Array.from({ length: DEPTH }, (_, i) => `w${i}`)
const gradients = Array.from({ length: DEPTH }, (_, i) => `g${i}`)

const model: OnnxModel = {
  nodes: weights.flatMap((weight, i) => [
    { type: 'MatMul', inputs: [i === 0 ? 'x' : `x${i}`, weight], outputs: [`x${i + 1}`] },
    { type: 'Neg', inputs: [weight], outputs: [`g${i}`] },
  ]),
  inputs: [
    { name: 'x', dtype: 'float32', shape: [ROWS, WIDTH] },
    ...weights.map(name => ({ name, dtype: 'float32', shape }) as const),
  ],
  outputs: [
    { name: `x${DEPTH}`, dtype: 'float32', shape: [ROWS, WIDTH] },
    ...gradients.map(name => ({ name, dtype: 'float32', shape }) as const),
  ],
  initializers: [],
}

/** One array per name; on shared memory where asked. */
function arrays(names: readonly string[], shared: boolean): Record<string, Float32Array> {
  const bytes = WIDTH * WIDTH * 4
  const make = (): Float32Array => new Float32Array(shared ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes))
  return Object.fromEntries(names.map(name => [name, make().fill(1 / WIDTH)]))
}

const bytes = encodeModel(model)
const x = new Float32Array(ROWS * WIDTH).fill(1)
const own: Record<string, TypedArray> = { x, ...arrays(weights, false) }
const shared: Record<string, TypedArray> = { x, ...arrays(weights, true) }
const targets = arrays(gradients, true)
const sums = arrays(gradients, true)

const settings = { executionMode: 'sequential', intraOpNumThreads: 2, interOpNumThreads: 1 } as const
const session = await InferenceSession.create(bytes, settings)
const tensors = Object.fromEntries(
  model.inputs.map(port => [port.name, new Tensor('float32', own[port.name] as Float32Array, port.shape)]),
)
const executor = await createOrtExecutor({ threads: 2 })
const program = await executor.load(bytes)

const cases = {
  'ONNX Runtime in this thread': () => session.run(tensors),
  'worker, weights shared, outputs answered': () => program.run(shared),
  'worker, weights shared, gradients into': () => program.run(shared, { into: targets }),
  'worker, weights shared, gradients accumulated': () => program.run(shared, { accumulate: sums }),
  'worker, weights copied, outputs answered': () => program.run(own),
}
console.table(await timeInTurn(cases, 15))
await executor.close()

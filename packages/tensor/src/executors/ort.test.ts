import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { encodeModel } from '../onnx/encode-model.ts'
import type { OnnxModel } from '../onnx/onnx-model.ts'
import { sharedMemory } from '../web-assembly.ts'
import type { Program } from './executor.ts'
import { createOrtExecutor, startOrtWorker, type OrtExecutor } from './ort.ts'

/** y = x w + b with x [1, 2], w [2, 3]; `rows` counts upwards from an int32 input. */
const affine: OnnxModel = {
  nodes: [
    { type: 'MatMul', inputs: ['x', 'w'], outputs: ['xw'] },
    { type: 'Add', inputs: ['xw', 'b'], outputs: ['y'] },
    { type: 'Add', inputs: ['count', 'one'], outputs: ['next'] },
  ],
  inputs: [
    { name: 'x', dtype: 'float32', shape: [1, 2] },
    { name: 'w', dtype: 'float32', shape: [2, 3] },
    { name: 'count', dtype: 'int32', shape: [] },
  ],
  outputs: [
    { name: 'y', dtype: 'float32', shape: [1, 3] },
    { name: 'next', dtype: 'int32', shape: [] },
  ],
  initializers: [
    { name: 'b', dtype: 'float32', shape: [3], data: Float32Array.of(0.5, 0, -0.5) },
    { name: 'one', dtype: 'int32', shape: [], data: Int32Array.of(1) },
  ],
}
const x = Float32Array.of(1, 2)
const w = Float32Array.of(1, 2, 3, 4, 5, 6)
const count = Int32Array.of(41)
const feeds = { x, w, count }
const y = Float32Array.of(9.5, 12, 14.5)

/** A chain of `length` products of [size, size] matrices: slow enough to watch. */
function chain(length: number, size: number): OnnxModel {
  const shape = [size, size]
  const nodes = Array.from({ length }, (_, i) => ({ type: 'MatMul', inputs: [`x${i}`, 'w'], outputs: [`x${i + 1}`] }))
  const inputs = ['x0', 'w'].map(name => ({ name, dtype: 'float32', shape }) as const)
  return { nodes, inputs, outputs: [{ name: `x${length}`, dtype: 'float32', shape }], initializers: [] }
}

function shared(values: Float32Array): Float32Array {
  const array = new Float32Array(new SharedArrayBuffer(values.byteLength))
  array.set(values)
  return array
}

let executor: OrtExecutor
let program: Program

beforeAll(async () => {
  executor = await createOrtExecutor({ threads: 2 })
  program = await executor.load(encodeModel(affine))
})
afterAll(() => executor.close())

describe('createOrtExecutor', () => {
  test('lists the ports of a program', () => {
    expect(program.inputs).toEqual(affine.inputs)
    expect(program.outputs).toEqual(affine.outputs)
  })

  test('runs a model and answers the outputs in arrays of their own', async () => {
    const outputs = await program.run(feeds)
    expect(outputs).toEqual({ y, next: Int32Array.of(42) })
    expect(x).toEqual(Float32Array.of(1, 2))
  })

  test('takes views of larger arrays and arrays with their shape', async () => {
    const around = Float32Array.of(7, 1, 2, 7)
    const view = around.subarray(1, 3)
    const outputs = await program.run({ ...feeds, x: view, w: { data: w, shape: [2, 3] } }, { fetch: ['y'] })
    expect(outputs).toEqual({ y })
    expect(around).toEqual(Float32Array.of(7, 1, 2, 7))
  })

  test('reads shared memory in place, also that of WebAssembly', async () => {
    const memory = sharedMemory(2 ** 16)
    const inPlace = new Float32Array(memory.buffer, 64, 6).fill(100)
    const slow = await executor.load(encodeModel(chain(40, 512)))
    const matrix = new Float32Array(512 * 512)
    const ahead = slow.run({ x0: matrix, w: matrix }) // keeps the worker busy while the next feed changes
    const run = program.run({ ...feeds, w: inPlace })
    inPlace.set(w)
    expect((await run)['y']).toEqual(y)
    await ahead
    await slow.close()
    inPlace.fill(0)
    expect((await program.run({ ...feeds, w: inPlace }))['y']).toEqual(Float32Array.of(0.5, 0, -0.5))
  })

  test('copies other feeds before the call returns', async () => {
    const own = Float32Array.from(w)
    const run = program.run({ ...feeds, w: own })
    own.fill(0)
    expect((await run)['y']).toEqual(y)
  })

  test('writes and adds outputs into shared memory instead of answering them', async () => {
    const sums = shared(Float32Array.of(9, 9, 9))
    expect(await program.run(feeds, { into: { y: sums } })).toEqual({ next: Int32Array.of(42) })
    expect(sums).toEqual(y)
    expect(await program.run(feeds, { accumulate: { y: sums }, fetch: [] })).toEqual({})
    expect(await program.run(feeds, { accumulate: { y: sums }, fetch: ['y'] })).toEqual({ y })
    expect(sums).toEqual(y.map(value => 3 * value))
  })

  test('answers runs in the order of their calls, across programs', async () => {
    const other = await executor.load(encodeModel(affine))
    const order: number[] = []
    const runs = Array.from({ length: 6 }, async (_, i) => {
      const { next } = await (i % 2 === 0 ? program : other).run({ ...feeds, count: Int32Array.of(i) })
      order.push(Number(next?.[0]))
    })
    await Promise.all(runs)
    expect(order).toEqual([1, 2, 3, 4, 5, 6])
    await other.close()
  })

  test('leaves the event loop free during a run', async () => {
    const size = 512
    const slow = await executor.load(encodeModel(chain(40, size)))
    const identity = Float32Array.from({ length: size * size }, (_, i) => (i % (size + 1) === 0 ? 1 : 0))
    let ticks = 0
    const timer = setInterval(() => ticks++, 1)
    const started = performance.now()
    const outputs = await slow.run({ x0: identity, w: identity })
    const elapsedMs = performance.now() - started
    clearInterval(timer)
    expect(outputs['x40']).toEqual(identity)
    expect(elapsedMs).toBeGreaterThan(20)
    expect(ticks).toBeGreaterThan(4) // a blocked loop would tick once or twice
    await slow.close()
  })

  test('repeats a run bit for bit', async () => {
    const size = 128
    const repeated = await executor.load(encodeModel(chain(3, size)))
    const matrix = Float32Array.from({ length: size * size }, (_, i) => Math.sin(i))
    const first = await repeated.run({ x0: matrix, w: matrix })
    for (let i = 0; i < 5; i++) expect(await repeated.run({ x0: matrix, w: matrix })).toEqual(first)
  })

  test('loads constants that lie beside the model on shared memory, and lets go of them', async () => {
    const memory = sharedMemory(2 ** 16)
    new Float32Array(memory.buffer, 16, 6).set(w)
    const external = { location: 'weights', offsetBytes: 16, lengthBytes: 24 }
    const constant = { name: 'w', dtype: 'float32', shape: [2, 3], external } as const
    const inputs = affine.inputs.filter(({ name }) => name !== 'w')
    const model = encodeModel({ ...affine, inputs, initializers: [...affine.initializers, constant] })
    const loaded = await executor.load(model, { externalData: { weights: new Uint8Array(memory.buffer) } })
    new Uint8Array(memory.buffer).fill(0)
    expect((await loaded.run({ x, count }))['y']).toEqual(y)
  })
})

describe('a run that does not fit', () => {
  const cases = [
    { name: 'a missing feed', run: () => program.run({ x, w }), says: /"count".*Int32Array \[\].*nothing/ },
    { name: 'an unknown feed', run: () => program.run({ ...feeds, xx: x }), says: /"xx".*the input "x"/ },
    {
      name: 'a wrong length',
      run: () => program.run({ ...feeds, w: x }),
      says: /"w".*Float32Array \[2, 3\] with 6 elements, found Float32Array of length 2/,
    },
    { name: 'a wrong type', run: () => program.run({ ...feeds, x: count }), says: /"x".*found Int32Array/ },
    {
      name: 'a wrong shape',
      run: () => program.run({ ...feeds, w: { data: w, shape: [3, 2] } }),
      says: /"w".*found the shape \[3, 2\]/,
    },
    { name: 'an unknown output', run: () => program.run(feeds, { fetch: ['nexd'] }), says: /the output "next"/ },
    {
      name: 'a target on memory of its own',
      run: () => program.run(feeds, { into: { y: new Float32Array(3) } }),
      says: /"y".*SharedArrayBuffer/,
    },
    {
      name: 'a sum of integers',
      run: () => program.run(feeds, { accumulate: { next: shared(x) } }),
      says: /"next".*float32/,
    },
    {
      name: 'a sum of the wrong length',
      run: () => program.run(feeds, { accumulate: { y: shared(x) } }),
      says: /"y".*length 2/,
    },
  ]
  test.for(cases)('is refused: $name', async ({ run, says }) => {
    await expect(run()).rejects.toMatchObject({ code: 'TENSOR_FEED', message: expect.stringMatching(says) as string })
  })

  test('asks for a shape where the model leaves lengths open', async () => {
    const node = { type: 'Shape', inputs: ['any'], outputs: ['lengths'] }
    const open = encodeModel({
      nodes: [node],
      inputs: [{ name: 'any', dtype: 'bool', shape: [-1, 2] }],
      outputs: [{ name: 'lengths', dtype: 'int64', shape: [2] }],
      initializers: [],
    })
    const loaded = await executor.load(open)
    const data = Uint8Array.of(1, 0, 1, 0, 1, 0)
    expect(await loaded.run({ any: { data, shape: [3, 2] } })).toEqual({ lengths: BigInt64Array.of(3n, 2n) })
    await expect(loaded.run({ any: data })).rejects.toMatchObject({ code: 'TENSOR_FEED' })
  })
})

describe('a failure of the runtime', () => {
  test('names the node that cannot be loaded', async () => {
    const nodes = [...affine.nodes, { type: 'Nope', inputs: ['y'], outputs: ['unknown'] }]
    await expect(executor.load(encodeModel({ ...affine, nodes }))).rejects.toMatchObject({
      code: 'TENSOR_RUNTIME_FAILED',
      message: expect.stringMatching(/load the model at the node unknown \(Nope\): .*No Op registered/s) as string,
    })
    await expect(executor.load(new Uint8Array(8))).rejects.toMatchObject({ code: 'TENSOR_RUNTIME_FAILED' })
  })

  test('names the node that cannot be run, and leaves the program usable', async () => {
    const model = encodeModel({
      nodes: [{ type: 'Gather', inputs: ['table', 'rows'], outputs: ['picked'] }],
      inputs: [
        { name: 'table', dtype: 'float32', shape: [2, 3] },
        { name: 'rows', dtype: 'int32', shape: [1] },
      ],
      outputs: [{ name: 'picked', dtype: 'float32', shape: [1, 3] }],
      initializers: [],
    })
    const gather = await executor.load(model)
    await expect(gather.run({ table: w, rows: Int32Array.of(7) })).rejects.toMatchObject({
      code: 'TENSOR_RUNTIME_FAILED',
      message: expect.stringMatching(/run the program at the node picked \(Gather\): .*out of data bounds/s) as string,
    })
    expect(await gather.run({ table: w, rows: Int32Array.of(1) })).toEqual({ picked: Float32Array.of(4, 5, 6) })
  })

  test('says how to install the runtime where it is missing', async () => {
    const elsewhere = mkdtempSync(join(tmpdir(), 'ort-worker-'))
    copyFileSync(new URL('ort-worker.ts', import.meta.url), join(elsewhere, 'ort-worker.mts'))
    await expect(startOrtWorker(pathToFileURL(join(elsewhere, 'ort-worker.mts')))).rejects.toMatchObject({
      code: 'TENSOR_RUNTIME_MISSING',
      hint: expect.stringContaining('npm install onnxruntime-node') as string,
    })
    rmSync(elsewhere, { recursive: true })
  })

  test('rejects what is pending when the thread dies', async () => {
    const elsewhere = mkdtempSync(join(tmpdir(), 'ort-worker-'))
    const file = join(elsewhere, 'dying.mjs')
    writeFileSync(
      file,
      `import { parentPort } from 'node:worker_threads'
       parentPort.on('message', ({ type }) => (type === 'start' ? parentPort.postMessage({ type: 'done' }) : process.exit(3)))`,
    )
    const channel = await startOrtWorker(pathToFileURL(file))
    const pending = [channel.request({ type: 'release', program: 0 }), channel.request({ type: 'release', program: 1 })]
    const results = await Promise.allSettled(pending)
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    await expect(channel.request({ type: 'start' })).rejects.toThrow(/exit code 3/)
    await channel.stop({ type: 'stop' })
    rmSync(elsewhere, { recursive: true })
  })
})

describe('closing', () => {
  test('lets queued runs end and refuses later ones', async () => {
    const own = await createOrtExecutor({ threads: 1 })
    const [first, second] = [await own.load(encodeModel(affine)), await own.load(encodeModel(affine))]
    const last = first.run(feeds)
    await Promise.all([first.close(), first.close()])
    expect((await last)['y']).toEqual(y)
    await expect(first.run(feeds)).rejects.toMatchObject({ code: 'TENSOR_CLOSED' })
    const queued = second.run(feeds)
    await Promise.all([own.close(), own.close()])
    expect((await queued)['y']).toEqual(y)
    await expect(second.run(feeds)).rejects.toMatchObject({ code: 'TENSOR_CLOSED' })
    await expect(own.load(encodeModel(affine))).rejects.toMatchObject({ code: 'TENSOR_CLOSED' })
    await second.close()
  })

  test.for([
    { name: 'is not needed for the process to end', last: '' },
    {
      name: 'can be awaited by a process that has nothing else to do',
      last: "await executor.close(); console.log('closed')",
    },
  ])('$name', ({ last }) => {
    const script = `
      import { createOrtExecutor } from ${JSON.stringify(new URL('ort.ts', import.meta.url).href)}
      import { encodeModel } from ${JSON.stringify(new URL('../onnx/encode-model.ts', import.meta.url).href)}
      const executor = await createOrtExecutor()
      const program = await executor.load(encodeModel(${JSON.stringify({ ...affine, inputs: affine.inputs.slice(0, 2), nodes: affine.nodes.slice(0, 1), outputs: [{ name: 'xw', dtype: 'float32', shape: [1, 3] }], initializers: [] })}))
      const { xw } = await program.run({ x: Float32Array.of(1, 2), w: Float32Array.of(1, 2, 3, 4, 5, 6) })
      console.log([...xw].join())
      ${last}`
    const args = ['--conditions=@qoq-med/source', '--input-type=module', '--eval', script]
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 30_000 })
    expect({ status, stdout, stderr }).toEqual({
      status: 0,
      stdout: last === '' ? '9,12,15\n' : '9,12,15\nclosed\n',
      stderr: '',
    })
  })
})

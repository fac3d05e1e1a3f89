import * as tf from '@tensorflow/tfjs-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadTfjs } from '../src/executors/tfjs-backends.ts'
import { compileGraph, createTfjsExecutor, Graph, graphOps, type TfjsExecutor } from '../src/index.ts'
import { inferenceCases, opCases, operandsOf } from '../src/op-cases.testing.ts'
import {
  caseError,
  caseFeeds,
  caseGraph,
  inferenceGraph,
  cacheCase,
  halfCase,
  quantizedCase,
  quantizedCases,
  largestError,
} from './case-graph.ts'

/** Two floats on shared memory. */
function shared(): Float32Array<SharedArrayBuffer> {
  return new Float32Array(new SharedArrayBuffer(8))
}

/** An import that finds only some packages. */
function installed(names: readonly string[]): (name: string) => Promise<unknown> {
  return async name => {
    if (!names.includes(name)) throw new Error(`Cannot find package '${name}'`)
    return import(name)
  }
}

describe.for(['wasm', 'js'] as const)('TensorFlow.js on %s', backend => {
  let executor: TfjsExecutor
  beforeAll(async () => {
    executor = await createTfjsExecutor({ backend })
  })
  afterAll(() => executor.close())

  // float32 kernels against float64 arithmetic, as for ONNX Runtime.
  test.for(opCases)('computes value and gradients of: $name', async opCase => {
    const { error, at } = await caseError(executor, opCase, caseGraph)
    expect(error, `at ${at}`).toBeLessThan(1e-5)
  })

  test.for(inferenceCases)('computes: $name', async opCase => {
    const { error, at } = await caseError(executor, opCase, inferenceGraph)
    expect(error, `at ${at}`).toBeLessThan(1e-5)
  })

  test.for(quantizedCases)('multiplies rounded weights: %o', async each => {
    const { graph, feeds, want } = quantizedCase(each)
    const program = await compileGraph(executor, graph)
    const { error, at } = largestError(await program.run(feeds), want)
    expect(error, `at ${at}`).toBeLessThan(1e-5)
    await program.close()
  })

  test.for([20, 32, 64])('widens what a cache keeps, in vectors of %d', async width => {
    const { graph, feeds, want } = cacheCase(width)
    const program = await compileGraph(executor, graph)
    const { error, at } = largestError(await program.run(feeds), want)
    expect(error, `at ${at}`).toBeLessThan(1e-6)
    await program.close()
  })

  test('multiplies half-precision weights', async () => {
    const { graph, feeds, want } = halfCase()
    const program = await compileGraph(executor, graph)
    const { error, at } = largestError(await program.run(feeds), want)
    expect(error, `at ${at}`).toBeLessThan(1e-6)
    await program.close()
  })

  test('leaves no tensor behind: after runs, after a failure, after closing', async () => {
    const before = tf.memory().numTensors
    const opCase = opCases.find(({ name }) => name.startsWith('attention with'))!
    const operands = operandsOf(opCase)
    const program = await compileGraph(executor, caseGraph(opCase, operands))
    const constants = tf.memory().numTensors - before
    for (let repeat = 0; repeat < 3; repeat++) {
      await program.run(caseFeeds(operands))
      expect(tf.memory().numTensors - before).toBe(constants)
    }
    await program.run(caseFeeds(operands), { fetch: [] })
    await expect(program.run({})).rejects.toMatchObject({ code: 'TENSOR_FEED' })
    expect(tf.memory().numTensors - before).toBe(constants)
    await program.close()
    expect(tf.memory().numTensors).toBe(before)
    await expect(program.run(caseFeeds(operands))).rejects.toMatchObject({ code: 'TENSOR_CLOSED' })
  })

  test('names the node that fails, and frees what was computed before it', async () => {
    const graph = new Graph()
    const ops = graphOps(graph)
    const table = ops.exp(graph.input('table', [2, 2]))
    const type = { shape: [2, 2], dtype: 'float32' } as const
    graph.output('y', graph.record('Concat', [table, table], { axis: 7 }, [type])[0]!)
    const program = await executor.compile(graph)
    const before = tf.memory().numTensors
    await expect(program.run({ table: new Float32Array(4) })).rejects.toMatchObject({
      code: 'TENSOR_RUNTIME_FAILED',
      message: expect.stringContaining('TensorFlow.js failed to run the program at the node y (Concat)'),
    })
    expect(tf.memory().numTensors).toBe(before)
    await program.close()
  })

  test('writes into, adds to and answers outputs as it is told, in arrays of their own', async () => {
    const graph = new Graph()
    const ops = graphOps(graph)
    const x = graph.input('x', [2])
    graph.output('same', x)
    graph.output('twice', ops.add(x, x))
    graph.output('less', ops.less(x, ops.constant(1.5)))
    graph.output('three', ops.constant(3))
    const program = await compileGraph(executor, graph)
    const [feed, sums, target] = [shared(), shared().fill(1), shared()]
    feed.set([1, 2])
    const results = await program.run(
      { x: feed },
      { fetch: ['same', 'less', 'three'], accumulate: { twice: sums }, into: {} },
    )
    expect(results).toEqual({ same: Float32Array.of(1, 2), less: Uint8Array.of(1, 0), three: Float32Array.of(3) })
    expect([...sums]).toEqual([3, 5])
    await program.run({ x: feed }, { into: { twice: target } })
    expect([...target]).toEqual([2, 4])
    ;(results.same as Float32Array).fill(9) // a float32 output
    expect([...feed]).toEqual([1, 2])
    await program.close()
  })
})

describe('createTfjsExecutor', () => {
  test('keeps two backends apart, also when their runs interleave', async () => {
    const executors = await Promise.all([
      createTfjsExecutor({ backend: 'js' }),
      createTfjsExecutor({ backend: 'wasm' }),
    ])
    const graph = new Graph()
    const ops = graphOps(graph)
    graph.output('y', ops.matmul(graph.input('x', [2, 2]), ops.constant(Float32Array.of(1, 2, 3, 4), [2, 2])))
    const programs = await Promise.all(executors.map(executor => compileGraph(executor, graph)))
    const before = tf.memory().numTensors
    const runs = programs.flatMap(program => [0, 1].map(() => program.run({ x: Float32Array.of(1, 0, 0, 1) })))
    for (const { y } of await Promise.all(runs)) expect([...y!]).toEqual([1, 2, 3, 4])
    expect(tf.memory().numTensors).toBe(before)
    await Promise.all(executors.map(executor => executor.close()))
    await expect(compileGraph(executors[0], graph)).rejects.toMatchObject({ code: 'TENSOR_CLOSED' })
  })

  test('takes the first backend that is installed, and says what to install where none is', async () => {
    const js = ['@tensorflow/tfjs-core', '@tensorflow/tfjs-backend-cpu']
    const wasm = ['@tensorflow/tfjs-core', '@tensorflow/tfjs-backend-wasm']
    expect((await loadTfjs(['node-gpu', 'node', 'wasm', 'js'], installed(js))).backend).toBe('js')
    expect((await loadTfjs(['node-gpu', 'node', 'wasm', 'js'], installed([...js, ...wasm]))).backend).toBe('wasm')
    await expect(loadTfjs(['node', 'wasm'], installed([]))).rejects.toMatchObject({
      code: 'TENSOR_RUNTIME_MISSING',
      message: expect.stringContaining("node: Cannot find package '@tensorflow/tfjs-node'; wasm: Cannot find package"),
      hint: expect.stringContaining('npm install @tensorflow/tfjs-core @tensorflow/tfjs-backend-wasm'),
    })
  })

  test('refuses a backend that is not installed by its name', async () => {
    await expect(createTfjsExecutor({ backend: 'node-gpu' })).rejects.toMatchObject({
      code: 'TENSOR_RUNTIME_MISSING',
      hint: expect.stringContaining('npm install @tensorflow/tfjs-node-gpu'),
    })
  })
})

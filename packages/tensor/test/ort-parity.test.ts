import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { compileGraph, createOrtExecutor, gradients, Graph, graphOps, type OrtExecutor } from '../src/index.ts'
import { inferenceCases, opCases } from '../src/op-cases.testing.ts'
import {
  caseError,
  caseGraph,
  inferenceGraph,
  cacheCase,
  halfCase,
  quantizedCase,
  quantizedCases,
  largestError,
} from './case-graph.ts'

let executor: OrtExecutor
beforeAll(async () => {
  executor = await createOrtExecutor({ threads: 1 })
})
afterAll(() => executor.close())

describe('ONNX Runtime', () => {
  // float32 kernels against float64 arithmetic: a few units in the last place of values around 1.
  test.for(opCases)('computes value and gradients of: $name', async opCase => {
    const { error, at } = await caseError(executor, opCase, caseGraph)
    expect(error, `at ${at}`).toBeLessThan(1e-5)
  })

  test.for(inferenceCases)('computes: $name', async opCase => {
    const { error, at } = await caseError(executor, opCase, inferenceGraph)
    expect(error, `at ${at}`).toBeLessThan(1e-5)
  })

  test.for(quantizedCases)('multiplies rounded weights, with activations rounded to eight bits: %o', async each => {
    const { graph, feeds, want } = quantizedCase(each)
    const program = await compileGraph(executor, graph)
    const got = await program.run(feeds)
    // An activation is off by up to 1/254, a weight is at most 1: 64 of them add up to about 0.03.
    want.y!.data.forEach((value: number | bigint, i: number) =>
      expect(Math.abs(Number(got.y![i]) - Number(value))).toBeLessThan(0.05),
    )
    expect(want.y!.data.some((value: number | bigint) => Math.abs(Number(value)) > 1)).toBe(true)
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
    // A processor with half-precision kernels rounds x and the result to eleven bits; x64 computes in float32.
    expect(error, `at ${at}`).toBeLessThan(2e-3)
    await program.close()
  })

  test('leaves lengths open for each run', async () => {
    const graph = new Graph()
    const ops = graphOps(graph)
    const [x, w] = [graph.input('x', [-1, 2]), graph.input('w', [3, 2])]
    graph.output('y', ops.reshape(ops.linear(x, w), [-1, 1, 3]))
    const program = await compileGraph(executor, graph)
    const weights = Float32Array.of(1, 0, 0, 1, 1, 1)
    const run = (data: Float32Array) => program.run({ x: { data, shape: [data.length / 2, 2] }, w: weights })
    expect(await run(Float32Array.of(1, 2))).toEqual({ y: Float32Array.of(1, 2, 3) })
    expect(await run(Float32Array.of(1, 2, 3, 4))).toEqual({ y: Float32Array.of(1, 2, 3, 3, 4, 7) })
    const target = new Float32Array(new SharedArrayBuffer(16)).subarray(0, 3)
    const feeds = { x: { data: Float32Array.of(3, 4), shape: [1, 2] }, w: weights }
    expect(await program.run(feeds, { into: { y: { data: target, shape: [1, 1, 3] } } })).toEqual({})
    expect(target).toEqual(Float32Array.of(3, 4, 7))
    await expect(program.run(feeds, { into: { y: target } })).rejects.toMatchObject({ code: 'TENSOR_FEED' })
    await program.close()
  })

  test('answers the entropy beside the log-probabilities', async () => {
    const graph = new Graph()
    const ops = graphOps(graph)
    const [hidden, head] = [graph.input('hidden', [3, 2]), graph.input('head', [5, 2])]
    const targets = Int32Array.of(0, 4, 2)
    const scores = ops.tokenLogprobs(hidden, head, ops.indices(targets), { temperature: 0.5, chunk: 2 })
    for (const [name, value] of Object.entries(scores)) graph.output(name, value)
    const program = await compileGraph(executor, graph)
    const rows = [
      [1, -2],
      [0, 0],
      [3, 1],
    ]
    const table = Array.from({ length: 10 }, (_, i) => i / 5)
    const got = await program.run({ hidden: Float32Array.from(rows.flat()), head: Float32Array.from(table) })
    rows.forEach(([x, y], row) => {
      const powers = [0, 1, 2, 3, 4].map(i => Math.exp((x! * table[2 * i]! + y! * table[2 * i + 1]!) / 0.5))
      const sum = powers.reduce((a, b) => a + b)
      const entropy = powers.reduce((total, power) => total - (power / sum) * Math.log(power / sum), 0)
      expect(got['entropy']![row]).toBeCloseTo(entropy, 5)
      expect(got['logprobs']![row]).toBeCloseTo(Math.log(powers[targets[row]!]! / sum), 5)
    })
  })

  test('answers an output that is named like a method', async () => {
    const graph = new Graph()
    graph.output('toString', graphOps(graph).neg(graph.input('x', [1])))
    const program = await compileGraph(executor, graph)
    expect(await program.run({ x: Float32Array.of(1) })).toEqual({ toString: Float32Array.of(-1) })
  })

  test('repeats gradients bit for bit, also where rows are added together', async () => {
    const graph = new Graph()
    const ops = graphOps(graph)
    const table = graph.input('table', [50, 32])
    const rows = graph.input('rows', [2000], 'int32')
    const looked = ops.gatherRows(table, rows)
    const loss = ops.sum(ops.mul(looked, looked), { axis: [0, 1] })
    graph.output('d', gradients(graph, loss, [table])[0]!)
    const program = await compileGraph(executor, graph)
    const feeds = {
      table: Float32Array.from({ length: 1600 }, (_, i) => Math.sin(i)),
      rows: Int32Array.from({ length: 2000 }, (_, i) => (i * i) % 50),
    }
    const first = await program.run(feeds)
    for (let repeat = 0; repeat < 50; repeat++) expect((await program.run(feeds)).d).toEqual(first.d)
  })
})

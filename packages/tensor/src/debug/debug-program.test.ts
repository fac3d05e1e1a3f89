import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { compileGraph } from '../compile-graph.ts'
import { evaluateGraph } from '../passes/evaluate-graph.ts'
import type { Executor, Feeds } from '../executors/executor.ts'
import { createOrtExecutor, type OrtExecutor } from '../executors/ort.ts'
import { graphOps } from '../ops/graph-ops.ts'
import { Graph } from '../graph/graph.ts'
import { randomGraph } from '../passes/random-graph.testing.ts'
import { valueNames } from '../graph/value-names.ts'
import { nodeGraph } from './probe-graph.ts'

let executor: OrtExecutor
beforeAll(async () => {
  executor = await createOrtExecutor({ threads: 1 })
})
afterAll(() => executor.close())

/** loss = Σ log(w x) beside an unread branch; the logarithm of a negative number is NaN. */
function logGraph(): Graph {
  const graph = new Graph()
  const ops = graphOps(graph)
  const [x, w] = [graph.input('x', [2, 2]), graph.input('layer.weight', [3, 2])]
  const y = ops.neg(ops.neg(ops.linear(x, w)))
  graph.output('loss', ops.sum(ops.log(y), { axis: [0, 1] }))
  return graph
}

const fine = { x: Float32Array.of(1, 2, 3, 4), 'layer.weight': Float32Array.of(1, 1, 2, 1, 1, 2) }

describe('a program compiled with debug', () => {
  test('answers what it answers without', async () => {
    const [debug, plain] = [
      await compileGraph(executor, logGraph(), { debug: true }),
      await compileGraph(executor, logGraph()),
    ]
    expect(await debug.run(fine)).toEqual(await plain.run(fine))
    expect([debug.inputs, debug.outputs]).toEqual([plain.inputs, plain.outputs])
    await Promise.all([debug.close(), plain.close()])
  })

  test('names the operation, its place, what it read, and the weight before it', async () => {
    const program = await compileGraph(executor, logGraph(), { debug: true })
    const sums = new Float32Array(new SharedArrayBuffer(4))
    const feeds = { ...fine, 'layer.weight': Float32Array.of(1, 1, 2, 1, -1, 0) }
    const error = await program.run(feeds, { accumulate: { loss: sums } }).catch((reason: unknown) => reason)
    expect(error).toMatchObject({
      code: 'TENSOR_VALUE_NOT_FINITE',
      message:
        'The operation Log is the first to make a value that is not finite: NaN at [0, 2] of ~t5 [2, 3], from ~t4 [2, 3] between -3 and 10. It comes after the one that reads layer.weight.',
    })
    expect(sums[0]).toBe(0)
    expect((await program.run(fine)).loss![0]).toBeGreaterThan(0)
    await program.close()
  })

  test('names an operand that was fed a NaN, and an infinity', async () => {
    const program = await compileGraph(executor, logGraph(), { debug: true })
    const weight = fine['layer.weight'].with(3, Number.NaN)
    await expect(program.run({ ...fine, 'layer.weight': weight })).rejects.toThrow(
      'The operation Gemm is the first to make a value that is not finite: NaN at [0, 1] of ~t2 [2, 3], from x [2, 2] between 1 and 4; layer.weight [3, 2] with NaN at [1, 1].',
    )
    await expect(program.run({ ...fine, x: Float32Array.of(1, 2, Infinity, 0) })).rejects.toThrow(
      'Infinity at [1, 0] of ~t2 [2, 3], from x [2, 2] with Infinity at [1, 0]',
    )
    await program.close()
  })

  test('names the first node of a random graph that the float64 reference finds as well', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), fc.integer({ min: 2, max: 30 }), fc.boolean(), async (seed, size, isInfinite) => {
        const { graph, feeds } = randomGraph(seed, size)
        const x = { ...feeds.x!, data: Float64Array.from(feeds.x!.data as Float64Array) } // floats
        x.data[3] = isInfinite ? Infinity : Number.NaN
        const want = graph.liveNodes().nodes.find(node => {
          const values = evaluateGraph(nodeGraph(graph, node), { ...feeds, x })
          return Object.entries(values).some(
            ([name, { data }]) => name.startsWith('result') && data.some(value => !Number.isFinite(Number(value))),
          )
        })
        const run = (await compileGraph(referenceExecutor, graph, { debug: true, simplify: false })).run({
          x: Float32Array.from(x.data),
          y: Float32Array.from(feeds.y!.data as Float64Array), // floats
        })
        const found = await run.then(
          () => 'every value is finite',
          (error: unknown) => String(error),
        )
        expect(found).toContain(
          want === undefined ? 'every value is finite' : `of ${valueNames(graph)(want.outputs[0]!.id)} [`,
        )
      }),
      { numRuns: 50 },
    )
  })
})

/** Runs graphs by the reference arithmetic. */
const referenceExecutor: Executor = {
  compile: async graph => ({
    inputs: graph.inputs.map(({ name, tensor: { shape, dtype } }) => ({ name, shape, dtype })),
    outputs: [],
    run: async (feeds: Feeds) => {
      const dense = graph.inputs.map(({ name, tensor: { shape, dtype } }) => [
        name,
        { shape, dtype, data: Float64Array.from(feeds[name] as Float32Array) }, // the graphs have float inputs
      ])
      const results = evaluateGraph(graph, Object.fromEntries(dense))
      return Object.fromEntries(
        Object.entries(results).map(([name, { data }]) => [
          name,
          data instanceof Float64Array ? Float32Array.from(data) : data,
        ]),
      )
    },
    close: async () => {},
  }),
  close: async () => {},
}

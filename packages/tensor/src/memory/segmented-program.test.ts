import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { gradients } from '../autodiff.ts'
import { compileGraph } from '../compile-graph.ts'
import { createOrtExecutor, type OrtExecutor } from '../executors/ort.ts'
import { graphOps } from '../ops/graph-ops.ts'
import { Graph } from '../graph/graph.ts'
import type { Tensor } from '../graph/tensor.ts'
import { simplifyGraph } from '../passes/simplify-graph.ts'
import { planSteps } from './plan.ts'
import { segmentGraph } from './segments.ts'
import { createStepGraphs } from './step-graph.ts'

const [ROWS, WIDTH, HIDDEN, LAYERS, VOCABULARY] = [16, 8, 24, 4, 12]

/** A residual network of SwiGLU layers with an embedding that is also the head, differentiated. */
function trainingGraph(): Graph {
  const graph = new Graph()
  const ops = graphOps(graph)
  const tokens = graph.input('tokens', [ROWS], 'int32')
  const table = graph.input('table', [VOCABULARY, WIDTH])
  const parameters: [string, Tensor][] = [['table', table]]
  const weight = (name: string, shape: readonly number[]): Tensor => {
    const tensor = graph.input(name, shape)
    parameters.push([name, tensor])
    return tensor
  }
  let x = ops.gatherRows(table, tokens)
  for (let layer = 0; layer < LAYERS; layer++) {
    const normed = ops.rmsNorm(x, weight(`${layer}.norm`, [WIDTH]), 1e-6)
    const gate = ops.linear(normed, weight(`${layer}.gate`, [HIDDEN, WIDTH]))
    const up = ops.linear(normed, weight(`${layer}.up`, [HIDDEN, WIDTH]))
    x = ops.add(x, ops.linear(ops.swiglu(gate, up), weight(`${layer}.down`, [WIDTH, HIDDEN])))
  }
  const { logprobs } = ops.tokenLogprobs(x, table, tokens)
  const loss = ops.neg(ops.sum(logprobs, { axis: 0 }))
  graph.output('loss', loss)
  graph.output('logprobs', logprobs)
  const found = gradients(
    graph,
    loss,
    parameters.map(([, tensor]) => tensor),
  )
  parameters.forEach(([name], i) => graph.output(`d ${name}`, found[i]!))
  return graph
}

function feedsOf(graph: Graph): Record<string, Float32Array | Int32Array> {
  const feeds = graph.inputs.map(({ name, tensor: { shape, dtype } }, at) => {
    const length = shape.reduce((size, axis) => size * axis, 1)
    return [
      name,
      dtype === 'int32'
        ? Int32Array.from({ length }, (_, i) => (i * 5) % VOCABULARY)
        : Float32Array.from({ length }, (_, i) => 0.5 * Math.sin(7 * i + at)),
    ] as const
  })
  return Object.fromEntries(feeds)
}

/** Less than a layer makes, more than its parts. */
const segmentBytes = 4 * ROWS * HIDDEN * 3

let executor: OrtExecutor
beforeAll(async () => {
  executor = await createOrtExecutor({ threads: 2 })
})
afterAll(() => executor.close())

describe('a segmented training graph', () => {
  test.for(['saved', 'recompute'] as const)('%s answers the loss and gradients of the whole graph', async memory => {
    const graph = trainingGraph()
    const feeds = feedsOf(graph)
    const [whole, cut] = [
      await compileGraph(executor, graph),
      await compileGraph(executor, graph, { memory, segmentBytes }),
    ]
    const [want, got] = [await whole.run(feeds), await cut.run(feeds)]
    expect(Object.keys(got).toSorted()).toEqual(Object.keys(want).toSorted())
    for (const [name, values] of Object.entries(want)) {
      values.forEach((value, i) => expect(got[name]![i], `${name} ${i}`).toBeCloseTo(Number(value), 5))
    }
    await Promise.all([whole.close(), cut.close()])
  })

  test('is cut at the ends of layers, and equal layers share their programs', () => {
    const graph = simplifyGraph(trainingGraph())
    const segments = segmentGraph(graph, 'loss', segmentBytes)
    expect(segments.forward.map(nodes => nodes.at(-1)!.op)).toEqual([
      ...Array.from({ length: LAYERS - 1 }, () => 'Add'),
      'Neg',
    ])
    const steps = planSteps(graph, segments, 'saved').map(createStepGraphs(graph))
    expect(steps).toHaveLength(2 * LAYERS - 1)
    expect(new Set(steps.map(({ key }) => key)).size).toBeLessThanOrEqual(6)
  })

  test('keeps less the more it computes again', () => {
    const graph = simplifyGraph(trainingGraph())
    const segments = segmentGraph(graph, 'loss', segmentBytes)
    const keptBy = (mode: 'saved' | 'recompute'): number =>
      planSteps(graph, segments, mode)
        .flatMap(({ kept }) => kept)
        .reduce((sum, { shape }) => sum + shape.reduce((size, length) => size * length, 1), 0)
    expect(keptBy('recompute')).toBeLessThan(keptBy('saved') / 2)
  })

  test('keeps nothing of attention in saved mode', () => {
    const graph = new Graph()
    const ops = graphOps(graph)
    const weight = graph.input('weight', [WIDTH, WIDTH])
    let x = ops.linear(graph.input('x', [ROWS, WIDTH]), weight)
    for (let layer = 0; layer < LAYERS; layer++) {
      const [q, k] = [ops.reshape(x, [1, 1, 1, ROWS, WIDTH]), ops.reshape(x, [1, 1, ROWS, WIDTH])]
      const attended = ops.reshape(ops.attention(q, k, k, { scale: 1 }), [ROWS, WIDTH])
      x = ops.add(x, ops.linear(attended, weight))
    }
    const loss = ops.sum(x, { axis: [0, 1] })
    graph.output('loss', loss)
    graph.output('d weight', gradients(graph, loss, [weight])[0]!)
    const simple = simplifyGraph(graph)
    const segments = segmentGraph(simple, 'loss', 4 * ROWS * ROWS)
    const kept = planSteps(simple, segments, 'saved').flatMap(step => step.kept.map(({ id }) => id))
    const makers = new Set(
      kept.map(id => simple.nodes.find(({ outputs }) => outputs.some(output => output.id === id))!.op),
    )
    expect(segments.forward).toHaveLength(LAYERS)
    expect(makers).toContain('Gemm')
    expect(makers).not.toContain('Attention')
  })

  test('writes into and adds to shared memory, and keeps runs apart that overlap', async () => {
    const graph = trainingGraph()
    const feeds = feedsOf(graph)
    const program = await compileGraph(executor, graph, { memory: 'saved', segmentBytes })
    const { 'd 1.up': want, loss } = await program.run(feeds, { fetch: ['d 1.up', 'loss'] })
    const sums = new Float32Array(new SharedArrayBuffer(want!.byteLength))
    const target = new Float32Array(new SharedArrayBuffer(want!.byteLength))
    const other = { ...feeds, table: (feeds['table'] as Float32Array).map(value => -value) }
    const [first, second, third] = await Promise.all([
      program.run(feeds, { accumulate: { 'd 1.up': sums }, fetch: ['loss'] }),
      program.run(other, { fetch: ['loss'] }),
      program.run(feeds, { into: { 'd 1.up': target }, fetch: ['loss'] }),
    ])
    expect([first['loss'], third['loss']]).toEqual([loss, loss])
    expect(second['loss']).not.toEqual(loss)
    expect([sums, target]).toEqual([want, want])
    await program.close()
  })

  test('stays whole where there is nothing to cut', async () => {
    const graph = trainingGraph()
    expect(segmentGraph(simplifyGraph(graph), 'loss', 2 ** 30).forward).toHaveLength(1)
    const program = await compileGraph(executor, graph, { memory: 'recompute' })
    expect(await program.run(feedsOf(graph))).toHaveProperty('loss')
    await program.close()
  })

  test('refuses feeds as a whole program does', async () => {
    const program = await compileGraph(executor, trainingGraph(), { memory: 'saved', segmentBytes })
    await expect(program.run({})).rejects.toMatchObject({ code: 'TENSOR_FEED' })
    await program.close()
  })
})

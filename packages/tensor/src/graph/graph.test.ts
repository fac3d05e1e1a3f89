import { describe, expect, test } from 'vitest'
import { denseOps } from '../ops/dense-ops.ts'
import { dense } from '../dense.ts'
import { evaluateGraph } from '../passes/evaluate-graph.ts'
import { graphOps } from '../ops/graph-ops.ts'
import { Graph } from './graph.ts'

const code = (name: string): unknown => expect.objectContaining({ code: name })

describe('a graph', () => {
  test('refuses a second input or output of one name', () => {
    const graph = new Graph()
    const x = graph.input('x', [2])
    expect(() => graph.input('x', [3])).toThrow(code('TENSOR_NAME_TAKEN'))
    graph.output('y', x)
    expect(() => graph.output('y', x)).toThrow(code('TENSOR_NAME_TAKEN'))
  })

  test('keeps only what its outputs need', () => {
    const graph = new Graph()
    const ops = graphOps(graph)
    const x = graph.input('x', [2])
    ops.exp(x)
    graph.output('y', ops.neg(x))
    expect(graph.liveNodes().nodes.map(node => node.op)).toEqual(['Neg'])
  })

  test('shares equal small constants', () => {
    const graph = new Graph()
    const ops = graphOps(graph)
    expect(ops.constant(2)).toBe(ops.constant(2))
    expect(ops.constant(2)).not.toBe(ops.constant(3))
    expect(ops.constant(0)).not.toBe(ops.constant(-0))
    expect(() => ops.constant(Float32Array.of(1, 2), [3])).toThrow(code('TENSOR_SHAPE'))
  })

  test('is fed completely', () => {
    const graph = new Graph()
    graph.output('y', graph.input('x', [2]))
    expect(() => evaluateGraph(graph, {})).toThrow(code('TENSOR_FEED'))
    expect(() => evaluateGraph(graph, { x: dense([1], [1]) })).toThrow(code('TENSOR_FEED'))
  })
})

describe('operations refuse operands that do not fit', () => {
  const [a, b, c] = [dense([1, 2, 3], [3]), dense([1, 2], [2]), dense([1, 2, 3, 4], [2, 2])]
  test.for<[string, () => unknown]>([
    ['add', () => denseOps.add(a, b)],
    ['matmul', () => denseOps.matmul(c, dense([1, 2, 3], [3, 1]))],
    ['linear with a bias of another width', () => denseOps.linear(c, c, a)],
    ['reshape', () => denseOps.reshape(a, [2, 2])],
    ['transpose', () => denseOps.transpose(c, [0, 0])],
    ['concat', () => denseOps.concat([c, dense([1], [1, 1])], 0)],
    ['slice', () => denseOps.slice(a, 0, 2, 4)],
    ['gatherRows by floats', () => denseOps.gatherRows(c, b)],
    ['rotary', () => denseOps.rotary(c, c, c)],
    ['swiglu of two shapes', () => denseOps.swiglu(c, b)],
    ['expand to a smaller shape', () => denseOps.expand(a, [1])],
    ['sum over an axis that is not there', () => denseOps.sum(c, { axis: 2 })],
    ['mean over an axis before the first', () => denseOps.mean(c, { axis: [0, -3] })],
    ['attention', () => denseOps.attention(c, c, c, { scale: 1 })],
    [
      'pastAttention without a mask of its own',
      () => denseOps.pastAttention(c, { pastKeys: c, pastValues: c, ownKeys: c, ownValues: c, mask: c, scale: 1 }),
    ],
    ['quantizedLinear of weights that are not packed', () => denseOps.quantizedLinear(c, { packed: c, scales: c })],
    ['halfLinear of weights in float32', () => denseOps.halfLinear(c, c)],
    ['rmsNorm', () => denseOps.rmsNorm(c, a, 1e-6)],
    ['tokenLogprobs', () => denseOps.tokenLogprobs(c, c, denseOps.indices(Int32Array.of(1, 2, 3)))],
  ])('%s', ([, apply]) => {
    expect(apply).toThrow(code('TENSOR_SHAPE'))
  })

  test('an operation that does not exist', () => {
    for (const op of ['Conv', 'constructor', '__proto__'])
      expect(() => denseOps.apply(op as 'Add', [a])).toThrow(code('TENSOR_UNKNOWN_OP'))
  })
})

import { describe, expect, test } from 'vitest'
import { gradients } from './autodiff.ts'
import type { Dense } from './dense.ts'
import { evaluateGraph } from './passes/evaluate-graph.ts'
import { graphOps } from './ops/graph-ops.ts'
import { Graph } from './graph/graph.ts'
import { opCases, operandsOf, testRandom, type OpCase } from './op-cases.testing.ts'
import { opDefinition, opNames } from './ops/table.ts'

/** The case as a scalar: a fixed random weighting of its result, so that every element matters differently. */
function lossGraph(opCase: OpCase, operands: readonly Dense[]): Graph {
  const graph = new Graph()
  const ops = graphOps(graph)
  const inputs = operands.map(({ shape, dtype }, i) => graph.input(`x${i}`, shape, dtype))
  const y = opCase.apply(ops, inputs)
  const random = testRandom(3)
  const size = y.shape.reduce((product, length) => product * length, 1)
  const weights = ops.constant(
    Float32Array.from({ length: size }, () => random() - 0.4),
    y.shape,
  )
  const loss = ops.sum(ops.mul(y, weights), { axis: y.shape.map((_, axis) => axis) })
  graph.output('loss', loss)
  const parameters = inputs.slice(0, opCase.floats.length)
  gradients(graph, loss, parameters).forEach((gradient, i) => graph.output(`d${i}`, gradient))
  return graph
}

describe('gradients', () => {
  // float64 reference arithmetic: central differences are good to about 1e-9.
  test.for(opCases)('agree with central differences: $name', opCase => {
    const operands = operandsOf(opCase)
    const graph = lossGraph(opCase, operands)
    const lossAt = (values: readonly Dense[]): number =>
      Number(evaluateGraph(graph, Object.fromEntries(values.map((value, i) => [`x${i}`, value]))).loss!.data[0])
    const feeds = Object.fromEntries(operands.map((value, i) => [`x${i}`, value]))
    const results = evaluateGraph(graph, feeds)
    opCase.floats.forEach((_shape, i) => {
      const operand = operands[i]!
      for (let at = 0; at < operand.data.length; at++) {
        const moved = [1e-5, -1e-5].map(step => {
          const data = Float64Array.from(operand.data as Float64Array) // float operands come first
          data[at]! += step
          return lossAt(operands.with(i, { ...operand, data }))
        })
        const slope = (moved[0]! - moved[1]!) / 2e-5
        expect(Number(results[`d${i}`]!.data[at]), `d loss / d x${i}[${at}]`).toBeCloseTo(slope, 7)
      }
    })
  })

  test('cover every operation that has a rule', () => {
    const used = new Set(opCases.flatMap(opCase => lossGraph(opCase, operandsOf(opCase)).nodes.map(node => node.op)))
    expect(opNames.filter(name => opDefinition(name).vjp && !used.has(name))).toEqual([])
  })

  test('are zero for a parameter that the loss does not read', () => {
    const graph = new Graph()
    const ops = graphOps(graph)
    const [x, unused] = [graph.input('x', [2]), graph.input('unused', [3])]
    const [gradient] = gradients(graph, ops.sum(x, { axis: 0 }), [unused])
    graph.output('d', gradient!)
    const feeds = { x: { shape: [2], dtype: 'float32', data: Float64Array.of(1, 2) } } as const
    const result = evaluateGraph(graph, {
      ...feeds,
      unused: { shape: [3], dtype: 'float32', data: new Float64Array(3) },
    })
    expect([...result.d!.data]).toEqual([0, 0, 0])
  })

  test('of two slices that make up the whole are joined, not added', () => {
    const graph = new Graph()
    const ops = graphOps(graph)
    const x = graph.input('x', [4, 3])
    const parts = [ops.exp(ops.slice(x, 0, 0, 1)), ops.neg(ops.slice(x, 0, 1, 4))]
    const [gradient] = gradients(graph, ops.sum(ops.concat(parts, 0), { axis: [0, 1] }), [x])
    graph.output('d', gradient!)
    expect(graph.liveNodes().nodes.map(({ op }) => op)).not.toContain('Pad')
  })

  test('of rows that were looked up twice are scattered once onto the other', () => {
    const graph = new Graph()
    const ops = graphOps(graph)
    const table = graph.input('table', [4, 3])
    const looked = [0, 2].map(row => ops.gatherRows(table, ops.indices(Int32Array.of(row))))
    const [gradient] = gradients(graph, ops.sum(ops.mul(looked[0]!, looked[1]!), { axis: [0, 1] }), [table])
    graph.output('d', gradient!)
    const { nodes } = graph.liveNodes()
    expect(nodes.filter(({ op }) => op === 'ScatterAddRows').map(({ inputs }) => inputs.length)).toEqual([2, 3])
    expect(nodes.map(({ op }) => op)).not.toContain('Add')
  })

  test('refuse a loss that is not a scalar', () => {
    const graph = new Graph()
    const x = graph.input('x', [2])
    expect(() => gradients(graph, x, [x])).toThrow(expect.objectContaining({ code: 'TENSOR_NOT_SCALAR' }))
  })

  test('refuse a path through a result or an operand that has no rule, rather than leave it out', () => {
    const graph = new Graph()
    const ops = graphOps(graph)
    const hidden = graph.input('hidden', [2, 3])
    const { logprobs, entropy } = ops.tokenLogprobs(
      hidden,
      graph.input('head', [4, 3]),
      ops.indices(Int32Array.of(0, 1)),
    )
    expect(gradients(graph, ops.sum(logprobs, { axis: 0 }), [hidden])).toHaveLength(1)
    const bonus = ops.sum(ops.sub(logprobs, entropy), { axis: 0 })
    expect(() => gradients(graph, bonus, [hidden])).toThrow(expect.objectContaining({ code: 'TENSOR_NO_GRADIENT' }))
    const mask = graph.input('mask', [2, 2])
    const [q, k] = [graph.input('q', [1, 1, 1, 2, 2]), graph.input('k', [1, 1, 2, 2])]
    const attended = ops.sum(ops.attention(q, k, k, { mask, scale: 1 }), { axis: [0, 1, 2, 3, 4] })
    expect(gradients(graph, attended, [q, k])).toHaveLength(2)
    expect(() => gradients(graph, attended, [mask])).toThrow(expect.objectContaining({ code: 'TENSOR_NO_GRADIENT' }))
  })

  test('name the operation that has no rule', () => {
    const graph = new Graph()
    const ops = graphOps(graph)
    const x = graph.input('x', [])
    const chosen = ops.where(ops.less(x, ops.constant(0)), ops.constant(1), x)
    expect(gradients(graph, chosen, [x])).toHaveLength(1)
    const condition = graphOps(graph).less(x, ops.constant(1))
    expect(() => gradients(graph, condition, [x])).toThrow(expect.objectContaining({ code: 'TENSOR_NO_GRADIENT' }))
  })
})

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { gradients } from '../autodiff.ts'
import { describeGraph } from './describe-graph.ts'
import { graphCost } from './graph-cost.ts'
import { graphOps } from '../ops/graph-ops.ts'
import { Graph } from '../graph/graph.ts'
import { randomGraph } from './random-graph.testing.ts'
import { simplifyGraph } from './simplify-graph.ts'

function leastSquares(): Graph {
  const graph = new Graph()
  const ops = graphOps(graph)
  const [x, y, w] = [graph.input('x', [4, 2]), graph.input('y', [4, 1]), graph.input('w', [1, 2])]
  const error = ops.sub(ops.linear(x, w), y)
  const loss = ops.mean(ops.mul(error, error), { axis: [0, 1] })
  graph.output('loss', loss)
  graph.output('dw', gradients(graph, loss, [w])[0]!)
  return graph
}

describe('describeGraph', () => {
  test('writes a line per value and totals', () => {
    expect(describeGraph(simplifyGraph(leastSquares()))).toMatchInlineSnapshot(`
      "x = input : float32 [4, 2], 32 B
      y = input : float32 [4, 1], 16 B
      w = input : float32 [1, 2], 8 B
      ~c3 = constant 0.25 : float32 [], 4 B
      ~c4 = constant 0.25 0.25 0.25 0.25 : float32 [4, 1], 16 B
      ~t5 = Gemm(x, w) transposeA=false transposeB=true : float32 [4, 1], 16 B, 16 FLOP
      ~t6 = Sub(~t5, y) : float32 [4, 1], 16 B, 4 FLOP
      ~t7 = Mul(~t6, ~t6) : float32 [4, 1], 16 B, 4 FLOP
      ~t8 = ReduceSum(~t7) axes=[0, 1] keepDims=false : float32 [], 4 B, 4 FLOP
      loss = Mul(~t8, ~c3) : float32 [], 4 B, 1 FLOP
      ~t10 = Mul(~c4, ~t6) : float32 [4, 1], 16 B, 4 FLOP
      ~t11 = Add(~t10, ~t10) : float32 [4, 1], 16 B, 4 FLOP
      dw = Gemm(~t11, x) transposeA=true transposeB=false : float32 [1, 2], 8 B, 16 FLOP
      nodes: 8
      inputs: 3 with 14 elements, 56 B
      constants: 20 B
      arithmetic: 53 FLOP
      activations: at most 36 B at once, at ~t8
      "
    `)
  })

  test('shows long constants, unread results and outputs that are no node of their own', () => {
    const graph = new Graph()
    const ops = graphOps(graph)
    const x = graph.input('x', [2, 5])
    graph.output('x again', x)
    graph.output('y', ops.rmsNorm(x, ops.constant(new Float32Array(5).fill(1 / 3)), 1e-6))
    const text = describeGraph(graph)
    expect(text).toContain('~c1 = constant 0.3333333 0.3333333 0.3333333 0.3333333 … : float32 [5], 20 B')
    expect(text).toContain('y, _ = RmsNorm(x, ~c1) epsilon=0.000001 : float32 [2, 5], 40 B, 10 FLOP')
    expect(text).toContain('x again = x')
  })

  test('has one line for every live node, which starts with its own names and reads only earlier ones', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 30 }), (seed, size) => {
        const { graph } = randomGraph(seed, size)
        const known = new Set<string>()
        const lines = describeGraph(graph).split('\n')
        for (const line of lines.filter(each => each.includes(' = '))) {
          const [results, rest] = line.split(' = ') as [string, string]
          const operands = /^\w+\((?<names>[^)]*)\)/.exec(rest)?.groups?.['names']
          for (const name of operands?.split(', ') ?? []) expect(known).toContain(name)
          for (const name of results.split(', ')) known.add(name)
        }
        expect(lines.filter(line => line.includes('('))).toHaveLength(graph.liveNodes().nodes.length)
        for (const name of graph.outputs.keys()) expect(known).toContain(name)
      }),
    )
  })
})

describe('graphCost', () => {
  test('counts a chain by hand', () => {
    const graph = new Graph()
    const ops = graphOps(graph)
    const [x, w] = [graph.input('x', [8, 4]), graph.input('w', [2, 4])]
    const hidden = ops.linear(x, w) // 2·8·4·2 = 128 FLOP, 64 B
    const reshaped = ops.reshape(hidden, [16]) // a view
    graph.output('y', ops.exp(ops.neg(reshaped))) // 16 + 16 FLOP, 64 B each
    expect(graphCost(graph)).toEqual({
      nodes: 4,
      inputElements: 40,
      inputBytes: 160,
      constantBytes: 0,
      flops: 160,
      // The product and its negation, then the negation and the power.
      peakActivationBytes: 128,
      peakNode: 2,
    })
  })

  test('counts what a gradient keeps', () => {
    const graph = new Graph()
    const ops = graphOps(graph)
    const x = graph.input('x', [100])
    const [a, b] = [ops.exp(x), ops.exp(ops.exp(x))]
    graph.output('y', ops.mul(a, b)) // a lives until here: a, exp x, b; then a, b, y
    expect(graphCost(graph).peakActivationBytes).toBe(1200)
  })

  test('attention and the head count their products', () => {
    const graph = new Graph()
    const ops = graphOps(graph)
    const [q, kv] = [graph.input('q', [1, 2, 3, 5, 4]), graph.input('kv', [1, 2, 7, 4])]
    graph.output('attended', ops.attention(q, kv, kv, { scale: 1 }))
    expect(graphCost(graph).flops).toBe(2 * (2 * 2 * 3 * 5 * 7 * 4)) // scores and values
    const head = new Graph()
    const [hidden, table] = [head.input('hidden', [3, 4]), head.input('table', [11, 4])]
    const targets = graphOps(head).indices(Int32Array.of(1, 2, 3))
    head.output('logprobs', graphOps(head).tokenLogprobs(hidden, table, targets).logprobs)
    expect(graphCost(head).flops).toBe(2 * 3 * 11 * 4)
  })

  test('never needs more at once than all values together, nor less than any one', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 30 }), (seed, size) => {
        const { graph } = randomGraph(seed, size)
        const { nodes, values } = graph.liveNodes()
        const { peakActivationBytes } = graphCost(graph)
        const computed = nodes.flatMap(node => node.outputs).filter(({ id }) => values.has(id))
        const bytes = (all: typeof computed): number =>
          all.reduce((sum, { shape }) => sum + 4 * shape.reduce((n, m) => n * m, 1), 0)
        expect(peakActivationBytes).toBeLessThanOrEqual(bytes(computed))
        expect(peakActivationBytes).toBeGreaterThanOrEqual(
          Math.max(...nodes.filter(({ op }) => op !== 'Reshape').map(({ outputs }) => bytes([outputs[0]!])), 0),
        )
      }),
    )
  })
})

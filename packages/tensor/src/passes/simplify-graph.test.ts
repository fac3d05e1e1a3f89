import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { evaluateGraph } from './evaluate-graph.ts'
import { foldConstants } from './fold-constants.ts'
import { graphOps } from '../ops/graph-ops.ts'
import { Graph } from '../graph/graph.ts'
import { randomGraph } from './random-graph.testing.ts'
import { rewriteGraph } from './rewrite-graph.ts'
import { shareSubexpressions } from './share-subexpressions.ts'
import { graphPasses, simplifyGraph } from './simplify-graph.ts'

const opsOf = (graph: Graph): string[] => graph.nodes.map(node => node.op)
const anyGraph = fc
  .record({ seed: fc.integer(), size: fc.integer({ min: 1, max: 30 }) })
  .map(({ seed, size }) => randomGraph(seed, size))

describe('passes over a graph', () => {
  test.for(['shareSubexpressions', 'dropDeadCode'])('%s keeps every bit of every output', pass => {
    fc.assert(
      fc.property(anyGraph, ({ graph, feeds }) => {
        expect(evaluateGraph(graphPasses[pass]!(graph), feeds)).toEqual(evaluateGraph(graph, feeds))
      }),
    )
  })

  test.for([...Object.entries(graphPasses), ['all of them', simplifyGraph] as const])(
    '%s keeps the outputs within the rounding of a folded float32',
    ([, pass]) => {
      fc.assert(
        fc.property(anyGraph, ({ graph, feeds }) => {
          const [got, want] = [evaluateGraph(pass(graph), feeds), evaluateGraph(graph, feeds)]
          expect(Object.keys(got)).toEqual(Object.keys(want))
          for (const [name, { data }] of Object.entries(want)) {
            data.forEach((value, i) => {
              const error = Math.abs(Number(got[name]!.data[i]) - Number(value))
              expect(error, `${name}[${i}]`).toBeLessThan(1e-5 * Math.max(1, Math.abs(Number(value))))
            })
          }
        }),
      )
    },
  )

  test('never leave more nodes, and a second round finds nothing', () => {
    fc.assert(
      fc.property(anyGraph, ({ graph }) => {
        const once = simplifyGraph(graph)
        expect(once.nodes.length).toBeLessThanOrEqual(graph.liveNodes().nodes.length)
        const twice = simplifyGraph(once)
        expect([twice.nodes.length, twice.constants.length]).toEqual([once.nodes.length, once.constants.length])
      }),
    )
  })

  test('leave the graph they are given alone', () => {
    const { graph } = randomGraph(1, 20)
    const before = structuredClone({ nodes: graph.nodes, constants: graph.constants, outputs: graph.outputs })
    simplifyGraph(graph)
    expect({ nodes: graph.nodes, constants: graph.constants, outputs: graph.outputs }).toEqual(before)
  })
})

describe('foldConstants', () => {
  test('computes what depends on no input', () => {
    const graph = new Graph()
    const ops = graphOps(graph)
    const scale = ops.div(ops.constant(1), ops.sqrt(ops.constant(4)))
    graph.output('y', ops.mul(graph.input('x', [2]), scale))
    const folded = foldConstants(graph)
    expect(opsOf(folded)).toEqual(['Mul'])
    expect([...folded.constants.at(-1)!.data]).toEqual([0.5])
  })

  test('answers an output that is a constant', () => {
    const graph = new Graph()
    const ops = graphOps(graph)
    graph.output('y', ops.neg(ops.constant(3)))
    const folded = foldConstants(graph)
    expect(opsOf(folded)).toEqual([])
    expect([...evaluateGraph(folded, {}).y!.data]).toEqual([-3])
  })

  test('does not store an expanded scalar, nor what it takes long to compute', () => {
    const graph = new Graph()
    const ops = graphOps(graph)
    graph.output('wide', ops.expand(ops.constant(0), [1025]))
    graph.output('small', ops.sum(ops.constant(new Float32Array(70_000)), { axis: 0 }))
    expect(opsOf(foldConstants(graph))).toEqual(['Expand', 'ReduceSum'])
  })

  test('leaves a node that makes a NaN, so that it can be named', () => {
    const graph = new Graph()
    const ops = graphOps(graph)
    graph.output('y', ops.log(ops.constant(-1)))
    expect(opsOf(foldConstants(graph))).toEqual(['Log'])
  })
})

describe('shareSubexpressions', () => {
  test('keeps one of equal nodes and equal constants, also when that makes others equal', () => {
    const graph = new Graph()
    const ops = graphOps(graph)
    const x = graph.input('x', [20])
    const scaled = () => ops.exp(ops.mul(x, ops.constant(new Float32Array(20).fill(2))))
    graph.output('a', scaled())
    graph.output('b', scaled())
    const shared = shareSubexpressions(graph)
    expect(opsOf(shared)).toEqual(['Mul', 'Exp'])
    expect(rewriteGraph(shared).constants).toHaveLength(1)
    expect(shared.outputs.get('a')).toBe(shared.outputs.get('b'))
  })

  test('tells attributes apart, also those that JSON does not', () => {
    const graph = new Graph()
    const x = graph.input('x', [2, 2])
    const type = { shape: [2, 2], dtype: 'float32' } as const
    ;[0, -0, Number.NaN, Infinity, -Infinity, null].forEach((scale, i) =>
      graph.output(`y${i}`, graph.record('MatMul', [x, x], { scale }, [type])[0]!),
    )
    graph.output('same', graph.record('MatMul', [x, x], { scale: -0 }, [type])[0]!)
    expect(shareSubexpressions(graph).nodes).toHaveLength(6)
  })

  test('leaves constants that are larger than any mask as they are', () => {
    const graph = new Graph()
    const large = new Float32Array(2 ** 20 + 1)
    for (const name of ['a', 'b']) graph.output(name, graph.constant(large, [large.length], 'float32'))
    expect(shareSubexpressions(graph).constants.map(({ data }) => data === large)).toEqual([true, true])
  })

  test('keeps constants of other shapes and types apart', () => {
    const graph = new Graph()
    const constants = [
      graph.constant(new Float32Array(18), [18], 'float32'),
      graph.constant(new Float32Array(18), [2, 9], 'float32'),
      graph.constant(new Int32Array(18), [18], 'int32'),
    ]
    constants.forEach((constant, i) => graph.output(`y${i}`, constant))
    expect(shareSubexpressions(graph).constants).toHaveLength(3)
  })
})

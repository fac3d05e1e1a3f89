import { gradients } from '../autodiff.ts'
import { dense, type Dense } from '../dense.ts'
import type { TableOps } from '../ops/definition.ts'
import { testRandom } from '../op-cases.testing.ts'
import { graphOps } from '../ops/graph-ops.ts'
import { Graph } from '../graph/graph.ts'
import type { Tensor } from '../graph/tensor.ts'

/** A graph of random operations, its feeds, and the same with gradients of its first output. */
export interface RandomGraph {
  readonly graph: Graph
  readonly feeds: Readonly<Record<string, Dense>>
}

type Step = (ops: TableOps<Tensor>, a: Tensor, b: Tensor) => Tensor

const all = (x: Tensor): { axis: number[] } => ({ axis: x.shape.map((_, axis) => axis) })

/** Where a step branches: at 0 lie differences of equal numbers, whose sign rounding decides. */
const branchAt = 0.0137

/** Steps from two matrices [2, 3] to one of the same shape, all of them tame: values stay around 1. */
const steps: readonly Step[] = [
  (ops, a, b) => ops.mul(ops.constant(0.5), ops.add(a, b)),
  (ops, a, b) => ops.sub(a, ops.mul(ops.constant(0.25), b)),
  (ops, a, b) => ops.tanh(ops.mul(a, b)),
  (ops, a) => ops.neg(a),
  (ops, a) => ops.sigmoid(a),
  (ops, a) => ops.exp(ops.neg(ops.mul(a, a))),
  (ops, a, b) => ops.where(ops.less(a, ops.constant(branchAt)), b, ops.neg(a)),
  (ops, a) => ops.transpose(ops.reshape(ops.transpose(a, [1, 0]), [3, 2]), [1, 0]),
  (ops, a) => ops.softmax(a),
  (ops, a) => ops.sub(a, ops.mean(a, { axis: 1, keepDims: true })),
  (ops, a) => ops.expand(ops.mean(a, { axis: 0, keepDims: true }), [2, 3]),
  (ops, a, b) => ops.concat([ops.slice(a, 1, 0, 1), ops.slice(b, 1, 1, 3)], 1),
  (ops, a, b) => ops.tanh(ops.matmul(ops.matmul(a, b, { transposeB: true }), b)),
  (ops, a, b) => ops.rmsNorm(a, ops.slice(ops.reshape(b, [6]), 0, 1, 4), 0.1),
  (ops, a) => ops.gatherRows(a, ops.indices(Int32Array.of(1, 1))),
  ops => ops.constant(Float32Array.of(1, -2, 0.5, 0.25, 3, -1), [2, 3]),
  // As many elements as are never shared by the graph itself: equal ones are left to the pass.
  ops => ops.slice(ops.constant(new Float32Array(18).fill(0.3), [6, 3]), 0, 1, 3),
]

/** Draws a graph from a seed: two inputs, some constants, `size` steps over earlier values, two outputs, gradients. */
export function randomGraph(seed: number, size: number): RandomGraph {
  const random = testRandom(seed)
  const graph = new Graph()
  const ops = graphOps(graph)
  const inputs = [graph.input('x', [2, 3]), graph.input('y', [2, 3])]
  const values = [...inputs, ops.constant(Float32Array.of(0.1, 0.2, 0.3, -0.4, 0.5, -0.6), [2, 3])]
  const drawn = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)]!
  for (let step = 0; step < size; step++) values.push(drawn(steps)(ops, drawn(values), drawn(values)))
  graph.output('last', values.at(-1)!)
  graph.output('other', drawn(values))
  const loss = ops.sum(ops.mul(values.at(-1)!, values.at(-1)!), all(values.at(-1)!))
  gradients(graph, loss, inputs).forEach((gradient, i) => graph.output(`d${i}`, gradient))
  const matrix = (): Dense =>
    dense(
      Array.from({ length: 6 }, () => Math.fround(2 * random() - 1)),
      [2, 3],
    )
  return { graph, feeds: { x: matrix(), y: matrix() } }
}

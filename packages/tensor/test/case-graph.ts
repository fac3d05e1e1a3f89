import {
  compileGraph,
  evaluateGraph,
  gradients,
  Graph,
  graphOps,
  narrowFloat16,
  type Dense,
  type Executor,
  type TypedArray,
} from '../src/index.ts'
import { operandsOf, type OpCase } from '../src/op-cases.testing.ts'

/** The case, its result, and the gradients of the sum of squares of its result. */
export function caseGraph(opCase: OpCase, operands: readonly Dense[]): Graph {
  const graph = new Graph()
  const ops = graphOps(graph)
  const inputs = operands.map(({ shape, dtype }, i) => graph.input(`x${i}`, shape, dtype))
  const y = opCase.apply(ops, inputs)
  graph.output('y', y)
  const loss = ops.sum(ops.mul(y, y), { axis: y.shape.map((_, axis) => axis) })
  gradients(graph, loss, inputs.slice(0, opCase.floats.length)).forEach((d, i) => graph.output(`d${i}`, d))
  return graph
}

/** The case and its result alone. */
export function inferenceGraph(opCase: OpCase, operands: readonly Dense[]): Graph {
  const graph = new Graph()
  const inputs = operands.map(({ shape, dtype }, i) => graph.input(`x${i}`, shape, dtype))
  graph.output('y', opCase.apply(graphOps(graph), inputs))
  return graph
}

/** A product with four-bit weights, its feeds, and its result by the float64 reference. */
export function int4Case(): { graph: Graph; feeds: Record<string, TypedArray>; want: Record<string, Dense> } {
  const graph = new Graph()
  const operands: Record<string, Dense> = {
    x: {
      shape: [3, 64],
      dtype: 'float32',
      data: Float64Array.from({ length: 192 }, (_, i) => Math.fround(Math.sin(i))),
    },
    packed: { shape: [5, 2, 16], dtype: 'uint8', data: Uint8Array.from({ length: 160 }, (_, i) => (i * 37) % 256) },
    scales: { shape: [5, 2], dtype: 'float32', data: Float64Array.from({ length: 10 }, (_, i) => (8 - i) / 64) },
  }
  const [x, packed, scales] = Object.entries(operands).map(([name, { shape, dtype }]) =>
    graph.input(name, shape, dtype),
  )
  graph.output('y', graphOps(graph).quantizedLinear(x!, packed!, scales!))
  const feeds = Object.fromEntries(Object.entries(operands).map(([name, value]) => [name, fed(value)]))
  return { graph, feeds, want: evaluateGraph(graph, operands) }
}

/** A product with half-precision weights, which are a constant, and its result by the float64 reference. x has no exact halves. */
export function halfCase(): { graph: Graph; feeds: Record<string, TypedArray>; want: Record<string, Dense> } {
  const graph = new Graph()
  const x: Dense = {
    shape: [3, 8],
    dtype: 'float32',
    data: Float64Array.from({ length: 24 }, (_, i) => Math.fround(Math.sin(i))),
  }
  const weights = narrowFloat16(Float32Array.from({ length: 40 }, (_, i) => ((i * 7) % 19) / 16 - 0.5))
  const ops = graphOps(graph)
  graph.output('y', ops.halfLinear(graph.input('x', x.shape), graph.constant(weights, [5, 8], 'float16')))
  return { graph, feeds: { x: fed(x) }, want: evaluateGraph(graph, { x }) }
}

/** The operands of a case as float32, by input name. */
export function caseFeeds(operands: readonly Dense[]): Record<string, TypedArray> {
  return Object.fromEntries(operands.map((x, i) => [`x${i}`, fed(x)]))
}

const fed = ({ data }: Dense): TypedArray => (data instanceof Float64Array ? Float32Array.from(data) : data)

/** Runs a case on an executor: its largest error against the float64 reference. `build` says what is computed of it. */
export async function caseError(
  executor: Executor,
  opCase: OpCase,
  build: (opCase: OpCase, operands: readonly Dense[]) => Graph,
): Promise<{ error: number; at: string }> {
  const operands = operandsOf(opCase)
  const graph = build(opCase, operands)
  const want = evaluateGraph(graph, Object.fromEntries(operands.map((x, i) => [`x${i}`, x])))
  const program = await compileGraph(executor, graph)
  const worst = largestError(await program.run(caseFeeds(operands)), want)
  await program.close()
  return worst
}

/** The largest difference from the float64 reference, relative where a value is above 1; infinite where one is missing. */
export function largestError(
  got: Readonly<Record<string, TypedArray>>,
  want: Readonly<Record<string, Dense>>,
): { error: number; at: string } {
  let worst = { error: 0, at: '' }
  for (const [name, { data }] of Object.entries(want)) {
    data.forEach((value: number | bigint, i: number) => {
      const difference = Math.abs(Number(got[name]?.[i]) - Number(value)) / Math.max(1, Math.abs(Number(value)))
      const error = Number.isNaN(difference) || got[name]?.length !== data.length ? Infinity : difference
      if (error > worst.error) worst = { error, at: `${name}[${i}]` }
    })
  }
  return worst
}

import {
  float16ToFloat32,
  compileGraph,
  evaluateGraph,
  gradients,
  Graph,
  graphOps,
  narrowFloat16,
  sizeOf,
  type Dense,
  type Executor,
  type Tensor,
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

/** Rounded weights: with and without zero points and bias, in both numbers of bits, blocks of each size, and rows that end within a block. */
export const quantizedCases = [4, 8].flatMap(bits =>
  [
    { inner: 64, block: 32, hasZeroPoints: false, hasBias: false },
    { inner: 64, block: 32, hasZeroPoints: true, hasBias: true },
    { inner: 96, block: 32, hasZeroPoints: true, hasBias: false },
    { inner: 76, block: 32, hasZeroPoints: false, hasBias: true },
    { inner: 192, block: 64, hasZeroPoints: false, hasBias: false },
    { inner: 160, block: 64, hasZeroPoints: false, hasBias: true },
    { inner: 300, block: 128, hasZeroPoints: false, hasBias: false },
  ].map(each => ({ ...each, bits: bits as 4 | 8 })),
)

function floats(shape: readonly number[], of: (i: number) => number): Dense {
  const data = Float64Array.from({ length: sizeOf(shape) }, (_, i) => Math.fround(of(i)))
  return { shape, dtype: 'float32', data }
}

function codes(shape: readonly number[], step: number): Dense {
  return { shape, dtype: 'uint8', data: Uint8Array.from({ length: sizeOf(shape) }, (_, i) => (i * step) % 256) }
}

/** A product with rounded weights, its feeds, and its result by the float64 reference. */
export function quantizedCase({ bits, inner, block, hasZeroPoints, hasBias }: (typeof quantizedCases)[number]): {
  graph: Graph
  feeds: Record<string, TypedArray>
  want: Record<string, Dense>
} {
  const graph = new Graph()
  const blocks = Math.ceil(inner / block)
  const bytes = (block * bits) / 8
  const operands = {
    x: floats([3, inner], i => Math.sin(i)),
    packed: codes([5, blocks, bytes], 37),
    scales: floats([5, blocks], i => (8 - (i % 10)) / (bits === 4 ? 64 : 1024)),
    ...(hasZeroPoints && { zeroPoints: codes([5, bits === 8 ? blocks : Math.ceil(blocks / 2)], 91) }),
    ...(hasBias && { bias: floats([5], i => i - 2) }),
  }
  const { x, ...weights } = Object.fromEntries(
    Object.entries(operands).map(([name, { shape, dtype }]) => [name, graph.input(name, shape, dtype)]),
  ) as { [name in keyof typeof operands]: Tensor } // the same names
  graph.output('y', graphOps(graph).quantizedLinear(x, { ...weights, bits }))
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

/** Cached values in half precision and in codes of eight bits, their feeds, and what they stand for by the float64 reference. */
export function cacheCase(width: number): {
  graph: Graph
  feeds: Record<string, TypedArray>
  want: Record<string, Dense>
} {
  const graph = new Graph()
  const ops = graphOps(graph)
  const [shape, blocks] = [[2, 3, width], width % 32 === 0 ? width / 32 : 1]
  const halves = narrowFloat16(Float32Array.from({ length: 6 * width }, (_, i) => Math.sin(i)))
  const signed = Int8Array.from({ length: 6 * width }, (_, i) => ((i * 37) % 255) - 127)
  const scales = floats([2, 3, blocks], i => (i + 1) / 512)
  graph.output('halves', ops.cacheFloats(graph.input('h', shape, 'float16')))
  graph.output('codes', ops.cacheFloats(graph.input('c', shape, 'int8'), graph.input('s', scales.shape)))
  const operands = {
    h: { shape, dtype: 'float16', data: Float64Array.from(halves, float16ToFloat32) },
    c: { shape, dtype: 'int8', data: signed },
    s: scales,
  } as const
  return { graph, feeds: { h: halves, c: signed, s: fed(scales) }, want: evaluateGraph(graph, operands) }
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

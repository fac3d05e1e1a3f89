import type { HintedError } from '@qoq-med/errors'
import { tensorErrors } from '../errors.ts'
import type { Graph, GraphNode } from '../graph/graph.ts'
import { stridesOf, type Tensor, type TypedArray } from '../graph/tensor.ts'
import { valueNames } from '../graph/value-names.ts'

/**
 * Says which node made a value that is not finite, where in it, from what.
 *
 * @param values what `nodeGraph` answers: operands and results of the node
 */
export function explainNode(graph: Graph, node: GraphNode, values: Readonly<Record<string, TypedArray>>): HintedError {
  const names = valueNames(graph)
  const flawed = node.outputs.findIndex((_, i) => firstFlaw(values[`result ${i}`]) >= 0)
  const [output, data] = [node.outputs[flawed]!, values[`result ${flawed}`]!]
  const at = firstFlaw(data)
  return tensorErrors.VALUE_NOT_FINITE({
    op: node.op,
    output: names(output.id),
    shape: output.shape,
    index: positionOf(at, output.shape),
    value: Number(data[at]),
    operands: node.inputs.map((operand, i) => operandText(names(operand.id), operand, values[`operand ${i}`]!)),
    after: lastInput(graph, node),
  })
}

/** Flat index of the first NaN or infinity, or -1. */
function firstFlaw(data: TypedArray | undefined): number {
  return data instanceof Float32Array ? data.findIndex(value => !Number.isFinite(value)) : -1
}

function positionOf(flat: number, shape: readonly number[]): number[] {
  const strides = stridesOf(shape)
  return shape.map((length, axis) => Math.floor(flat / strides[axis]!) % length)
}

/** Name, shape and range of an operand, or where it is not finite itself. */
function operandText(name: string, { shape }: Tensor, data: TypedArray): string {
  const title = `${name} [${shape.join(', ')}]`
  const flaw = firstFlaw(data)
  if (flaw >= 0) return `${title} with ${Number(data[flaw])} at [${positionOf(flaw, shape).join(', ')}]`
  let [low, high] = [Infinity, -Infinity]
  for (const element of data) {
    const value = Number(element)
    low = Math.min(low, value)
    high = Math.max(high, value)
  }
  return data.length === 0 ? title : `${title} between ${rounded(low)} and ${rounded(high)}`
}

function rounded(value: number): string {
  return String(Number(value.toPrecision(4)))
}

/** The input that was read last on the way to a node that reads none: names the layer it belongs to. */
function lastInput(graph: Graph, node: GraphNode): string | undefined {
  const inputs = new Map(graph.inputs.map(({ name, tensor }) => [tensor.id, name]))
  const named = ({ inputs: operands }: GraphNode): string | undefined =>
    operands.flatMap(({ id }) => inputs.get(id) ?? []).at(-1)
  if (named(node) !== undefined) return undefined
  const needed = new Map(node.inputs.map(tensor => [String(tensor.id), tensor]))
  const before = graph.liveNodes(needed).nodes
  const reader = before.findLast(each => named(each) !== undefined)
  return reader && named(reader)
}

import type { Attributes, Graph, GraphConstant, GraphNode } from '../graph/graph.ts'
import { bytesOf, graphCost, nodeFlops } from './graph-cost.ts'
import type { TensorType, TypedArray } from '../graph/tensor.ts'
import { valueNames } from '../graph/value-names.ts'

/**
 * Writes a graph for a reader: a line per input, constant and node that the outputs depend on, in order, then totals.
 *
 *     loss = ReduceSum(~t12) axes=[0, 1] keepDims=false : float32 [], 4 B, 8 FLOP
 *
 * Names are those of the emitted ONNX model and of the runtime's messages. Arithmetic and memory are the estimates of
 * `graphCost`.
 */
export function describeGraph(graph: Graph): string {
  const { nodes, values } = graph.liveNodes()
  const names = valueNames(graph)
  const renamed = [...graph.outputs].filter(([name, { id }]) => names(id) !== name)
  return [
    ...graph.inputs.map(({ name, tensor }) => `${name} = input : ${typeText(tensor)}`),
    ...graph.constants.filter(({ tensor }) => values.has(tensor.id)).map(each => constantLine(each, names)),
    ...nodes.map(node => nodeLine(node, names, values)),
    ...renamed.map(([name, { id }]) => `${name} = ${names(id)}`),
    ...totals(graph, nodes, names),
    '',
  ].join('\n')
}

function constantLine({ tensor, data }: GraphConstant, names: (id: number) => string): string {
  return `${names(tensor.id)} = constant ${sample(data)} : ${typeText(tensor)}`
}

/** The first elements of a constant. */
function sample(data: TypedArray): string {
  const shown = [...data.subarray(0, 4)].map(value => String(Number(Number(value).toPrecision(7))))
  return data.length > shown.length ? `${shown.join(' ')} …` : shown.join(' ')
}

function nodeLine(node: GraphNode, names: (id: number) => string, values: ReadonlySet<number>): string {
  const results = node.outputs.map(({ id }) => (values.has(id) ? names(id) : '_')).join(', ')
  const operands = node.inputs.map(({ id }) => names(id)).join(', ')
  const types = node.outputs.filter(({ id }) => values.has(id)).map(typeText)
  return `${results} = ${node.op}(${operands})${attributesText(node.attributes)} : ${types.join('; ')}, ${nodeFlops(node)} FLOP`
}

function attributesText(attributes: Attributes): string {
  return Object.entries(attributes)
    .map(([name, value]) => ` ${name}=${Array.isArray(value) ? `[${value.join(', ')}]` : String(value)}`)
    .join('')
}

function typeText(type: TensorType): string {
  return `${type.dtype} [${type.shape.join(', ')}], ${bytesOf(type)} B`
}

function totals(graph: Graph, nodes: readonly GraphNode[], names: (id: number) => string): string[] {
  const cost = graphCost(graph)
  const peak = nodes[cost.peakNode]?.outputs[0]
  return [
    `nodes: ${cost.nodes}`,
    `inputs: ${graph.inputs.length} with ${cost.inputElements} elements, ${cost.inputBytes} B`,
    `constants: ${cost.constantBytes} B`,
    `arithmetic: ${cost.flops} FLOP`,
    `activations: at most ${cost.peakActivationBytes} B at once${peak ? `, at ${names(peak.id)}` : ''}`,
  ]
}

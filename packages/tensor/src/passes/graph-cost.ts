import { opDefinition } from '../ops/table.ts'
import type { Graph, GraphNode } from '../graph/graph.ts'
import { bytesPerElement, sizeOf, type TensorType } from '../graph/tensor.ts'

/** What running a graph once takes, roughly; counted from shapes alone. */
export interface GraphCost {
  /** Nodes that the outputs depend on. */
  readonly nodes: number
  /** Elements of all inputs, parameters and data alike. */
  readonly inputElements: number
  readonly inputBytes: number
  readonly constantBytes: number
  /** Additions and multiplications; one per element where an operation does not say. */
  readonly flops: number
  /** Most bytes of computed values that are alive at once, each from its node to its last reader. */
  readonly peakActivationBytes: number
  /** Position of the live node at which that is. */
  readonly peakNode: number
}

/**
 * Estimates what a run of a graph takes. Values that nobody reads are not counted, a reshaped value is a view of the same
 * memory, and outputs live to the end; what a runtime keeps beside the values (packed weights, arenas) is not in it.
 */
export function graphCost(graph: Graph): GraphCost {
  const { nodes, values } = graph.liveNodes()
  const inputs = graph.inputs.map(({ tensor }) => tensor)
  const constants = graph.constants.map(({ tensor }) => tensor).filter(({ id }) => values.has(id))
  return {
    nodes: nodes.length,
    inputElements: sum(inputs.map(({ shape }) => sizeOf(shape))),
    inputBytes: sum(inputs.map(bytesOf)),
    constantBytes: sum(constants.map(bytesOf)),
    flops: sum(nodes.map(nodeFlops)),
    ...peakActivations(graph, nodes, values),
  }
}

/** Additions and multiplications of one node. */
export function nodeFlops({ op, inputs, outputs, attributes }: GraphNode): number {
  return opDefinition(op).flops?.(inputs, attributes) ?? sizeOf(outputs[0]!.shape)
}

/** Bytes of a value of a type. */
export function bytesOf({ shape, dtype }: TensorType): number {
  return sizeOf(shape) * bytesPerElement[dtype]
}

function peakActivations(
  graph: Graph,
  nodes: readonly GraphNode[],
  values: ReadonlySet<number>,
): Pick<GraphCost, 'peakActivationBytes' | 'peakNode'> {
  const owner = ownersOf(nodes)
  const lastUse = new Map<number, number>()
  const use = (id: number, at: number): Map<number, number> => lastUse.set(owner(id), at)
  nodes.forEach((node, at) => [...node.inputs, ...node.outputs].forEach(({ id }) => use(id, at)))
  for (const { id } of graph.outputs.values()) use(id, nodes.length)
  const ending = new Map<number, number>()
  let [alive, peakActivationBytes, peakNode] = [0, 0, 0]
  nodes.forEach((node, at) => {
    for (const output of node.outputs) {
      if (!values.has(output.id) || owner(output.id) !== output.id) continue
      const end = lastUse.get(output.id)!
      alive += bytesOf(output)
      ending.set(end, (ending.get(end) ?? 0) + bytesOf(output))
    }
    if (alive > peakActivationBytes) [peakActivationBytes, peakNode] = [alive, at]
    alive -= ending.get(at) ?? 0
  })
  return { peakActivationBytes, peakNode }
}

/** Maps a value to the one whose memory it shows: a reshaped value to its operand. */
export function ownersOf(nodes: readonly GraphNode[]): (id: number) => number {
  const viewed = new Map<number, number>()
  for (const { op, inputs, outputs } of nodes) {
    if (opDefinition(op).isView) viewed.set(outputs[0]!.id, viewed.get(inputs[0]!.id) ?? inputs[0]!.id)
  }
  return id => viewed.get(id) ?? id
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}

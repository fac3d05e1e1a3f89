import { Graph, type GraphConstant, type GraphNode } from '../graph/graph.ts'
import type { Tensor } from '../graph/tensor.ts'

/** What a pass puts in the place of a constant or a node; a kind that is left out is copied. */
export interface Rewriting {
  /** Answers the constant's value in the new graph. */
  readonly constant?: (target: Graph, constant: GraphConstant) => Tensor
  /** Answers the node's results in the new graph; `node.inputs` are values of the new graph, `node.outputs` of the old. */
  readonly node?: (target: Graph, node: GraphNode) => readonly Tensor[]
}

/**
 * Copies what the outputs of a graph depend on into a new graph, in the same order, and lets a pass replace parts on the
 * way. Inputs and outputs keep their names, and an input that nothing reads stays: the same feeds fit.
 *
 * @param outputs values of the graph to answer instead of its own outputs
 */
export function rewriteGraph(
  graph: Graph,
  { constant = copyConstant, node: rewrite = copyNode }: Rewriting = {},
  outputs: ReadonlyMap<string, Tensor> = graph.outputs,
): Graph {
  const target = new Graph()
  const { nodes, values } = graph.liveNodes(outputs)
  const placed = new Map(
    graph.inputs.map(({ name, tensor }) => [tensor.id, target.input(name, tensor.shape, tensor.dtype)]),
  )
  const place = ({ id }: Tensor): Tensor => placed.get(id)! // operands come before their node
  for (const each of graph.constants) if (values.has(each.tensor.id)) placed.set(each.tensor.id, constant(target, each))
  for (const { tensor, place: where, isFoldable } of graph.externals)
    if (values.has(tensor.id)) placed.set(tensor.id, target.external(where, tensor, isFoldable))
  for (const node of nodes) {
    const results = rewrite(target, { ...node, inputs: node.inputs.map(place) })
    node.outputs.forEach(({ id }, i) => placed.set(id, results[i]!))
  }
  for (const [name, tensor] of outputs) target.output(name, place(tensor))
  return target
}

/** Stores a constant as it is. */
export function copyConstant(target: Graph, { tensor, data }: GraphConstant): Tensor {
  return target.constant(data, tensor.shape, tensor.dtype)
}

/** Records a node as it is. */
export function copyNode(target: Graph, { op, inputs, outputs, attributes }: GraphNode): readonly Tensor[] {
  return target.record(op, inputs, attributes, outputs)
}

import { tensorErrors } from './errors.ts'
import { graphOps } from './ops/graph-ops.ts'
import type { Graph, GraphNode } from './graph/graph.ts'
import type { Tensor } from './graph/tensor.ts'
import type { TableOps } from './ops/definition.ts'
import { opDefinition } from './ops/table.ts'

/**
 * Differentiates a graph in reverse mode. The gradients are recorded in the same graph, so they are emitted, folded and
 * run like everything else.
 *
 * @param loss a scalar of the graph
 * @param parameters the values to differentiate with respect to
 * @returns one gradient per parameter, of its shape; zeros where the loss does not depend on it
 * @throws TENSOR_NOT_SCALAR when the loss has a shape
 * @throws TENSOR_NO_GRADIENT when an operation on the path has no rule, or none for the operand or result that the path takes
 */
export function gradients(graph: Graph, loss: Tensor, parameters: readonly Tensor[]): Tensor[] {
  if (loss.shape.length > 0) throw tensorErrors.NOT_SCALAR({ shape: loss.shape })
  const ops = graphOps(graph)
  const path = nodesBetween(graph.nodes, parameters)
  const found = new Map<number, Tensor>([[loss.id, ops.constant(1)]])
  const add = createAdder(graph, ops)
  for (const node of path.nodes.toReversed()) propagate(ops, node, path.values, { found, add })
  return parameters.map(parameter => found.get(parameter.id) ?? ops.expand(ops.constant(0), parameter.shape))
}

/** The nodes that depend on a parameter, in order, and every value that does. */
function nodesBetween(
  nodes: readonly GraphNode[],
  parameters: readonly Tensor[],
): { nodes: GraphNode[]; values: ReadonlySet<number> } {
  const values = new Set(parameters.map(parameter => parameter.id))
  const path = nodes.filter(node => {
    const depends = node.inputs.some(input => values.has(input.id))
    if (depends) for (const output of node.outputs) values.add(output.id)
    return depends
  })
  return { nodes: path, values }
}

function propagate(
  ops: TableOps<Tensor>,
  node: GraphNode,
  dependent: ReadonlySet<number>,
  { found, add }: { found: Map<number, Tensor>; add: (a: Tensor, b: Tensor) => Tensor },
): void {
  // Only the first result carries a gradient (OpDefinition): one that reaches a by-product would be lost.
  if (node.outputs.slice(1).some(({ id }) => found.has(id))) throw tensorErrors.NO_GRADIENT({ op: node.op })
  const dy = found.get(node.outputs[0]!.id)
  if (!dy) return
  const definition = opDefinition(node.op)
  if (!definition.vjp) throw tensorErrors.NO_GRADIENT({ op: node.op })
  const wanted = node.inputs.map(input => dependent.has(input.id))
  const results = definition.vjp(ops, {
    inputs: node.inputs,
    outputs: node.outputs,
    attributes: node.attributes,
    dy,
    wanted,
  })
  node.inputs.forEach((input, i) => {
    const gradient = results[i]
    if (!wanted[i] || input.dtype === 'bool') return
    if (!gradient) throw tensorErrors.NO_GRADIENT({ op: node.op })
    const sum = found.get(input.id)
    found.set(input.id, sum ? add(sum, gradient) : gradient)
  })
}

/** Adds two gradients of one value, by the rule of an operation that made one of them where there is one. */
function createAdder(graph: Graph, ops: TableOps<Tensor>): (a: Tensor, b: Tensor) => Tensor {
  const joined = (own: Tensor, other: Tensor): Tensor | undefined => {
    const node = graph.producer(own)
    if (!node) return undefined
    const { inputs, attributes } = node
    return opDefinition(node.op).addGradients?.(ops, {
      own,
      inputs,
      attributes,
      other,
      otherNode: graph.producer(other),
    })
  }
  return (a, b) => joined(b, a) ?? joined(a, b) ?? ops.add(a, b)
}

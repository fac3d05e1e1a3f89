import { graphOps } from '../ops/graph-ops.ts'
import type { Graph, GraphNode } from '../graph/graph.ts'
import { copyNode, rewriteGraph } from '../passes/rewrite-graph.ts'
import type { Tensor } from '../graph/tensor.ts'

/** A graph that checks another: an output per node, NaN exactly where one of the node's float results is not finite. */
export interface ProbeGraph {
  readonly graph: Graph
  /** The live nodes of the other graph that are checked, in order, by the name of their output. */
  readonly nodes: ReadonlyMap<string, GraphNode>
}

/**
 * Builds the checks of a graph: the sum of zero times every element, over all float results of a node. Zero times NaN or an
 * infinity is NaN, and a NaN survives a sum.
 */
export function probeGraph(graph: Graph): ProbeGraph {
  const live = graph.liveNodes()
  const nodes = new Map<string, GraphNode>()
  const probes = new Map<string, Tensor>()
  let at = 0
  const probed = rewriteGraph(graph, {
    node: (target, node) => {
      const original = live.nodes[at++]! // the rewriting goes through them in order
      const results = copyNode(target, node)
      const floats = results.filter(({ dtype }, i) => dtype === 'float32' && live.values.has(original.outputs[i]!.id))
      if (floats.length > 0) {
        const name = `probe ${at}`
        nodes.set(name, original)
        probes.set(name, probe(target, floats))
      }
      return results
    },
  })
  probed.outputs.clear()
  for (const [name, tensor] of probes) probed.output(name, tensor)
  return { graph: probed, nodes }
}

function probe(graph: Graph, values: readonly Tensor[]): Tensor {
  const ops = graphOps(graph)
  const zero = ops.constant(0)
  return values
    .map(value => ops.sum(ops.mul(value, zero), { axis: value.shape.map((_, axis) => axis) }))
    .reduce((a, b) => ops.add(a, b))
}

/**
 * Builds the graph that answers what one node reads and makes: outputs `operand 0`, `operand 1`, …, `result 0`, … in the
 * order of the node's; results that nobody reads are left out.
 */
export function nodeGraph(graph: Graph, { inputs, outputs }: GraphNode): Graph {
  const { values } = graph.liveNodes()
  const wanted = [
    ...inputs.map((tensor, i) => [`operand ${i}`, tensor] as const),
    ...outputs.map((tensor, i) => [`result ${i}`, tensor] as const).filter(([, { id }]) => values.has(id)),
  ]
  return rewriteGraph(graph, {}, new Map(wanted))
}

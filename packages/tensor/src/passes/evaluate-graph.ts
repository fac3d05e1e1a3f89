import { tensorErrors } from '../errors.ts'
import type { Graph } from '../graph/graph.ts'
import type { Tensor } from '../graph/tensor.ts'
import { opDefinition } from '../ops/table.ts'
import { denseData, type Dense } from '../dense.ts'

/**
 * Runs a graph by the reference arithmetic: the same program as ONNX Runtime's, in float64 and plain TypeScript.
 *
 * @param feeds a value per input
 * @returns a value per output
 * @throws TENSOR_FEED when an input has no value or one of another shape
 */
export function evaluateGraph(graph: Graph, feeds: Readonly<Record<string, Dense>>): Record<string, Dense> {
  const values = new Map<number, Dense>()
  const valueOf = (tensor: Tensor): Dense => values.get(tensor.id)!
  for (const { tensor, data } of graph.constants) {
    values.set(tensor.id, { shape: tensor.shape, dtype: tensor.dtype, data: denseData(data) })
  }
  for (const { name, tensor } of graph.inputs) {
    const feed = feeds[name]
    if (!feed || feed.shape.join() !== tensor.shape.join()) {
      throw tensorErrors.FEED({
        name,
        expected: `${tensor.dtype} [${tensor.shape.join(', ')}]`,
        found: feed ? `${feed.dtype} [${feed.shape.join(', ')}]` : 'nothing',
      })
    }
    values.set(tensor.id, feed)
  }
  for (const node of graph.liveNodes().nodes) {
    const results = opDefinition(node.op).reference(node.inputs.map(valueOf), node.attributes)
    node.outputs.forEach((output, i) => values.set(output.id, results[i]!))
  }
  return Object.fromEntries([...graph.outputs].map(([name, tensor]) => [name, valueOf(tensor)]))
}

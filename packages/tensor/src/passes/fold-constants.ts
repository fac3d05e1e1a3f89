import { denseData, type Dense } from '../dense.ts'
import { opDefinition } from '../ops/table.ts'
import type { Graph, GraphNode } from '../graph/graph.ts'
import { copyConstant, copyNode, rewriteGraph } from './rewrite-graph.ts'
import { sizeOf, type Tensor, type TensorType, type TypedArray } from '../graph/tensor.ts'

/** Largest result that is stored, 4 KiB of floats: an expanded scalar must not become a stored tensor. */
const maxResultElements = 1024
/** Most elements read for one result; the reference arithmetic is slow. */
const maxOperandElements = 65_536

/**
 * Replaces nodes that read constants alone by their results, computed once by the reference arithmetic (float64, rounded
 * to float32). A result that is large, or not finite, stays a node: folding adds at most 4 KiB of constants per node, and a
 * NaN keeps the operation that makes it.
 */
export function foldConstants(graph: Graph): Graph {
  const known = new Map<number, Dense>()
  const remember = (tensor: Tensor, data: TypedArray): Tensor => {
    known.set(tensor.id, { shape: tensor.shape, dtype: tensor.dtype, data: denseData(data) })
    return tensor
  }
  return rewriteGraph(graph, {
    constant: (target, constant) => {
      const placed = copyConstant(target, constant)
      return constant.data.length > maxOperandElements ? placed : remember(placed, constant.data)
    },
    node: (target, node) => {
      const results = resultsOf(node, known)
      if (results === undefined) return copyNode(target, node)
      return node.outputs.map(({ shape, dtype }, i) =>
        remember(target.constant(results[i]!, shape, dtype), results[i]!),
      )
    },
  })
}

/** The results of a node whose operands are known, unless they should not be stored. */
function resultsOf(node: GraphNode, known: ReadonlyMap<number, Dense>): TypedArray[] | undefined {
  const operands = node.inputs.flatMap(({ id }) => known.get(id) ?? [])
  if (operands.length < node.inputs.length || elements(operands) > maxOperandElements) return undefined
  if (elements(node.outputs) > maxResultElements) return undefined
  if (node.outputs.some(({ dtype }) => dtype === 'float16')) return undefined // known as numbers, stored as bits
  const results = opDefinition(node.op)
    .reference(operands, node.attributes)
    .map(({ data }) => (data instanceof Float64Array ? Float32Array.from(data) : data))
  const isFinite = results.every(data => !(data instanceof Float32Array) || data.every(Number.isFinite))
  return isFinite ? results : undefined
}

function elements(values: readonly TensorType[]): number {
  return values.reduce((sum, { shape }) => sum + sizeOf(shape), 0)
}

import { createHash } from 'node:crypto'
import type { Graph, GraphConstant, GraphNode } from '../graph/graph.ts'
import { copyConstant, copyNode, rewriteGraph } from './rewrite-graph.ts'
import type { Tensor } from '../graph/tensor.ts'

/** Largest constant that is compared by its bytes, a mask of 1,024 tokens; weights stored in a graph are not hashed. */
const maxComparedBytes = 2 ** 22

/**
 * Computes equal expressions once: a node with the operation, operands and attributes of an earlier one gives way to it,
 * as does a constant of up to 4 MiB with the type and bytes of an earlier one. Results are the same bits.
 */
export function shareSubexpressions(graph: Graph): Graph {
  const constants = new Map<string, Tensor>()
  const nodes = new Map<string, readonly Tensor[]>()
  return rewriteGraph(graph, {
    constant: (target, constant) =>
      constant.data.byteLength > maxComparedBytes
        ? copyConstant(target, constant)
        : remembered(constants, constantKey(constant), () => copyConstant(target, constant)),
    node: (target, node) => remembered(nodes, nodeKey(node), () => copyNode(target, node)),
  })
}

function remembered<Value>(known: Map<string, Value>, key: string, create: () => Value): Value {
  const value = known.get(key) ?? create()
  known.set(key, value)
  return value
}

function constantKey({ tensor: { shape, dtype }, data }: GraphConstant): string {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  return `${dtype}|${shape.join()}|${createHash('sha256').update(bytes).digest('base64')}`
}

function nodeKey({ op, inputs, attributes }: GraphNode): string {
  const settings = Object.entries(attributes).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return `${op}|${inputs.map(({ id }) => id).join()}|${JSON.stringify(settings, exactNumber)}`
}

/** JSON has no NaN, no infinities and no negative zero. */
function exactNumber(_key: string, value: unknown): unknown {
  const isExact = typeof value !== 'number' || (Number.isFinite(value) && !Object.is(value, -0))
  return isExact ? value : `number ${Object.is(value, -0) ? '-0' : String(value)}`
}

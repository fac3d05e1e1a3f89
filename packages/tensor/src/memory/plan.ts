import type { Graph, GraphNode } from '../graph/graph.ts'
import type { Tensor } from '../graph/tensor.ts'
import { opDefinition } from '../ops/table.ts'
import type { Segments } from './segments.ts'

/**
 * What is kept from the forward pass for the backward pass: everything, in one program (`fast`); the results of products,
 * from which attention and the rest of a layer are computed again (`saved`); or what enters a layer (`recompute`).
 */
export const memoryModes = ['fast', 'saved', 'recompute'] as const

/** One of `memoryModes`. */
export type MemoryMode = (typeof memoryModes)[number]

/** One program of a segmented graph. */
export interface Step {
  /** In the order of the graph. */
  readonly nodes: readonly GraphNode[]
  /** Values that the step keeps for later ones. */
  readonly kept: readonly Tensor[]
  /** Outputs of the graph that the step answers, by name. */
  readonly outputs: ReadonlyMap<string, Tensor>
}

/**
 * Orders the segments of a graph as steps: forward to the last one, which goes straight on with its backward pass, then
 * back. A step computes again what the mode does not keep.
 */
export function planSteps(graph: Graph, { forward, backward }: Segments, mode: 'saved' | 'recompute'): Step[] {
  const last = forward.length - 1
  const own = [
    ...forward.slice(0, -1),
    [...forward[last]!, ...backward[last]!],
    ...backward.slice(0, -1).toReversed(),
  ].filter((nodes, at) => at <= last || nodes.length > 0)
  const crossing = crossingValues(forward)
  // Products alone are kept: of attention the probabilities would be the largest values of a layer.
  const isRecomputed = (node: GraphNode, id: number): boolean =>
    !crossing.has(id) && (mode === 'recompute' || opDefinition(node.op).isProduct !== true)
  const isForward = new Set(forward.flat())
  const completed = own.map(nodes =>
    complete(nodes, graph, (node, id) => isForward.has(node) && isRecomputed(node, id)),
  )
  const kept = new Set(completed.flatMap(({ foreign }) => [...foreign]))
  const order = new Map(graph.nodes.map((node, at) => [node, at]))
  return own.map((nodes, at) => {
    const made = new Set(nodes.flatMap(({ outputs }) => outputs.map(({ id }) => id)))
    const isOwn = (tensor: Tensor): boolean => made.has(tensor.id) || (at === last && !graph.producer(tensor))
    return {
      nodes: [...completed[at]!.nodes].toSorted((a, b) => order.get(a)! - order.get(b)!),
      kept: nodes.flatMap(({ outputs }) => outputs.filter(({ id }) => kept.has(id))),
      outputs: new Map([...graph.outputs].filter(([, tensor]) => isOwn(tensor))),
    }
  })
}

/** Values of the forward pass that a later segment of it reads: they are kept anyhow. */
function crossingValues(forward: Segments['forward']): Set<number> {
  const segmentOf = new Map<number, number>()
  const crossing = new Set<number>()
  forward.forEach((segment, at) => {
    for (const { inputs, outputs } of segment) {
      for (const { id } of inputs) if ((segmentOf.get(id) ?? at) !== at) crossing.add(id)
      for (const { id } of outputs) segmentOf.set(id, at)
    }
  })
  return crossing
}

/** Adds the nodes that a step computes again; `foreign` are the values that other steps make for it. */
function complete(
  own: readonly GraphNode[],
  graph: Graph,
  isRecomputed: (node: GraphNode, id: number) => boolean,
): { nodes: Set<GraphNode>; foreign: Set<number> } {
  const nodes = new Set(own)
  const foreign = new Set<number>()
  const open = [...own]
  for (let node = open.pop(); node; node = open.pop()) {
    for (const input of node.inputs) {
      const source = graph.producer(input)
      if (!source || nodes.has(source)) continue
      if (isRecomputed(source, input.id)) {
        nodes.add(source)
        open.push(source)
      } else foreign.add(input.id)
    }
  }
  return { nodes, foreign }
}

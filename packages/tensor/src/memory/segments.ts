import { bytesOf, ownersOf } from '../passes/graph-cost.ts'
import type { Graph, GraphNode } from '../graph/graph.ts'

/** The nodes of a training graph by segment: runs of the forward pass, and what of the backward pass belongs to each. */
export interface Segments {
  /** Nodes that the loss depends on, in order, one list per segment. */
  readonly forward: readonly (readonly GraphNode[])[]
  /** The other live nodes, in order, by the segment whose gradients they compute. */
  readonly backward: readonly (readonly GraphNode[])[]
}

/**
 * Cuts a training graph where the forward pass is narrow: at the ends of layers, where little but the residual stream is
 * alive. A place is a cut when nothing nearer than `segmentBytes` of computed values is narrower, and at least as much lies
 * between two cuts. The backward pass goes through the segments in reverse.
 *
 * @param loss name of the output that was differentiated
 */
export function segmentGraph(graph: Graph, loss: string, segmentBytes: number): Segments {
  const scalar = graph.outputs.get(loss)
  const isForward = new Set(scalar ? graph.liveNodes(new Map([[loss, scalar]])).nodes : [])
  const live = graph.liveNodes().nodes
  const nodes = live.filter(node => isForward.has(node))
  const cuts = forwardCuts(nodes, segmentBytes)
  const bounds = [-1, ...cuts, nodes.length - 1]
  const forward = bounds.slice(1).map((end, i) => nodes.slice(bounds[i]! + 1, end + 1))
  return {
    forward,
    backward: assignBackward(
      live.filter(node => !isForward.has(node)),
      forward,
    ),
  }
}

/** Positions of the last nodes of all segments but the last. */
function forwardCuts(nodes: readonly GraphNode[], segmentBytes: number): number[] {
  const { alive, made } = liveBytes(nodes)
  const total = made.at(-1) ?? 0
  const isNarrowest = (at: number): boolean => {
    const isWider = (other: number): boolean => alive[other]! >= alive[at]!
    for (let i = at - 1; i >= 0 && made[at]! - made[i]! <= segmentBytes; i--) if (!isWider(i)) return false
    for (let i = at + 1; i < nodes.length && made[i]! - made[at]! <= segmentBytes; i++) if (!isWider(i)) return false
    return true
  }
  const cuts: number[] = []
  let start = 0
  for (let at = 0; at < nodes.length; at++) {
    const isLong = made[at]! - start >= segmentBytes && total - made[at]! >= segmentBytes
    if (!isLong || !isNarrowest(at)) continue
    cuts.push(at)
    start = made[at]!
  }
  return cuts
}

/** After each node: bytes of values that later nodes read, and bytes of all values made so far. Views count once. */
function liveBytes(nodes: readonly GraphNode[]): { alive: number[]; made: number[] } {
  const owner = ownersOf(nodes)
  const lastUse = new Map<number, number>()
  nodes.forEach(({ inputs }, at) => inputs.forEach(({ id }) => lastUse.set(owner(id), at)))
  const ending = nodes.map(() => 0)
  let [bytes, sum] = [0, 0]
  const [alive, made]: [number[], number[]] = [[], []]
  nodes.forEach(({ outputs }, at) => {
    for (const output of outputs) {
      const end = lastUse.get(output.id)
      if (owner(output.id) !== output.id) continue
      sum += bytesOf(output)
      if (end === undefined) continue
      bytes += bytesOf(output)
      ending[end]! += bytesOf(output)
    }
    bytes -= ending[at]!
    alive.push(bytes)
    made.push(sum)
  })
  return { alive, made }
}

/**
 * The backward pass goes down through the segments: a node belongs to the highest one that it or a node after it reads
 * from. Values of lower segments that an equal expression shares with it do not pull a node down.
 */
function assignBackward(nodes: readonly GraphNode[], forward: Segments['forward']): GraphNode[][] {
  const segmentOf = evidence(forward)
  const backward: GraphNode[][] = forward.map(() => [])
  let segment = 0
  for (const node of nodes.toReversed()) {
    segment = Math.max(segment, ...node.inputs.map(({ id }) => segmentOf.get(id) ?? 0))
    backward[segment]!.unshift(node)
  }
  return backward
}

/** The segment whose gradient reads a value: its own, or the one other that reads it; none for a value that several read. */
function evidence(forward: Segments['forward']): Map<number, number> {
  const segmentOf = new Map<number, number>()
  const readers = new Map<number, Set<number>>()
  forward.forEach((segment, at) => {
    for (const { inputs, outputs } of segment) {
      for (const { id } of outputs) segmentOf.set(id, at)
      for (const { id } of inputs) readers.set(id, (readers.get(id) ?? new Set()).add(at))
    }
  })
  for (const [id, at] of segmentOf) {
    const others = [...(readers.get(id) ?? [])].filter(reader => reader !== at)
    if (others.length === 1) segmentOf.set(id, others[0]!)
    if (others.length > 1) segmentOf.delete(id)
  }
  return segmentOf
}

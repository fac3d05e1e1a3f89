import { foldConstants } from './fold-constants.ts'
import type { Graph } from '../graph/graph.ts'
import { rewriteGraph } from './rewrite-graph.ts'
import { shareSubexpressions } from './share-subexpressions.ts'

/** The passes of `simplifyGraph`, in order; each answers a new graph with the same inputs, outputs and results. */
export const graphPasses: Readonly<Record<string, (graph: Graph) => Graph>> = {
  foldConstants,
  shareSubexpressions,
  dropDeadCode: graph => rewriteGraph(graph),
}

/**
 * Answers a graph that computes the same with fewer nodes: constants folded, equal expressions shared, dead code dropped.
 * The graph that is passed stays as it is. Folded values are rounded from float64; everything else keeps its bits.
 */
export function simplifyGraph(graph: Graph): Graph {
  return Object.values(graphPasses).reduce((simplified, pass) => pass(simplified), graph)
}

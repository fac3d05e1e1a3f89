import type { Executor, ExecutorOptions, Program } from './executors/executor.ts'
import type { Graph } from './graph/graph.ts'
import { simplifyGraph } from './graph/simplify-graph.ts'

/** How a graph becomes a program. */
export interface CompileOptions extends ExecutorOptions {
  /** Folds constants, shares equal expressions and drops dead code first. Default true. */
  readonly simplify?: boolean
}

/**
 * Makes a program of a graph. Feeds and results have the names of the graph's inputs and outputs.
 *
 * @throws TENSOR_RUNTIME_FAILED when the runtime refuses the graph
 * @throws TENSOR_CLOSED when the executor is closed
 */
export async function compileGraph(
  executor: Executor,
  graph: Graph,
  { simplify = true, ...options }: CompileOptions = {},
): Promise<Program> {
  return executor.compile(simplify ? simplifyGraph(graph) : graph, options)
}

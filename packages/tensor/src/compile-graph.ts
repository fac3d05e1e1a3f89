import { compileDebugProgram } from './debug/debug-program.ts'
import type { Executor, ExecutorOptions, Program } from './executors/executor.ts'
import type { Graph } from './graph/graph.ts'
import { simplifyGraph } from './graph/simplify-graph.ts'

/** How a graph becomes a program. */
export interface CompileOptions extends ExecutorOptions {
  /** Folds constants, shares equal expressions and drops dead code first. Default true. */
  readonly simplify?: boolean
  /**
   * Makes every run check all values first and name the operation that makes a NaN or an infinity. Default false; a run
   * takes more than twice the time.
   */
  readonly debug?: boolean
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
  { simplify = true, debug = false, ...options }: CompileOptions = {},
): Promise<Program> {
  const simplified = simplify ? simplifyGraph(graph) : graph
  return debug ? compileDebugProgram(executor, simplified, options) : executor.compile(simplified, options)
}

import { compileDebugProgram } from './debug/debug-program.ts'
import type { Executor, ExecutorOptions, Program } from './executors/executor.ts'
import type { Graph } from './graph/graph.ts'
import { simplifyGraph } from './passes/simplify-graph.ts'
import type { MemoryMode } from './memory/plan.ts'
import { compileSegments } from './memory/segmented-program.ts'

/** How a graph becomes a program. */
export interface CompileOptions extends ExecutorOptions {
  /** Folds constants, shares equal expressions and drops dead code first. Default true. */
  readonly simplify?: boolean
  /**
   * Makes every run check all values first and name the operation that makes a NaN or an infinity. Default false; a run
   * takes more than twice the time.
   */
  readonly debug?: boolean
  /**
   * What a training graph, one with an output `loss`, keeps from its forward pass for its backward pass: `fast` everything,
   * `saved` the results of products, `recompute` what enters a layer. The less is kept, the more is computed twice.
   * Default 'fast'; with `debug` everything.
   */
  readonly memory?: MemoryMode
  /** Bytes of computed values from which on a graph is cut for `memory`. Default 32 MiB. */
  readonly segmentBytes?: number
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
  { simplify = true, debug = false, memory = 'fast', segmentBytes = 2 ** 25, ...options }: CompileOptions = {},
): Promise<Program> {
  const simplified = simplify ? simplifyGraph(graph) : graph
  if (debug) return compileDebugProgram(executor, simplified, options)
  if (memory === 'fast') return executor.compile(simplified, options)
  return compileSegments(executor, simplified, { mode: memory, segmentBytes, ...options })
}

import type { Executor, LoadOptions, Program } from './executors/executor.ts'
import type { Graph } from './graph/graph.ts'
import { toOnnx } from './onnx/emit.ts'
import { encodeModel } from './onnx/encode-model.ts'

/**
 * Emits a graph and loads it into an executor. Feeds and results have the names of the graph's inputs and outputs.
 *
 * @throws TENSOR_RUNTIME_FAILED when the runtime refuses the model
 */
export function compileGraph(executor: Executor, graph: Graph, options?: LoadOptions): Promise<Program> {
  return executor.load(encodeModel(toOnnx(graph)), options)
}

import type { HintedError } from '@qoq-med/errors'
import type { Executor, ExecutorOptions, Feeds, Program } from '../executors/executor.ts'
import type { Graph, GraphNode } from '../graph/graph.ts'
import { explainNode } from './explain-node.ts'
import { nodeGraph, probeGraph } from './probe-graph.ts'

/**
 * Compiles a graph into a program that checks every float value before it answers. A run computes the graph twice: first
 * the checks, so that nothing is written `into` or `accumulate`d when a value is not finite, then the outputs.
 *
 * @throws TENSOR_VALUE_NOT_FINITE from `run`, naming the first operation that makes a NaN or an infinity
 */
export async function compileDebugProgram(
  executor: Executor,
  graph: Graph,
  options: ExecutorOptions,
): Promise<Program> {
  const { graph: probed, nodes } = probeGraph(graph)
  const compile = (each: Graph): Promise<Program> => executor.compile(each, options)
  const program = await compile(graph)
  const probes = await compile(probed)
  return {
    inputs: program.inputs,
    outputs: program.outputs,
    run: async (feeds, runOptions) => {
      const checks = await probes.run(feeds)
      const flawed = [...nodes].find(([name]) => Number.isNaN(Number(checks[name]![0])))
      if (flawed) throw await explained(compile, graph, flawed[1], feeds)
      return program.run(feeds, runOptions)
    },
    close: async () => {
      await Promise.all([program.close(), probes.close()])
    },
  }
}

/** Computes one node once more, to see what it read. */
async function explained(
  compile: (graph: Graph) => Promise<Program>,
  graph: Graph,
  node: GraphNode,
  feeds: Feeds,
): Promise<HintedError> {
  const detail = await compile(nodeGraph(graph, node))
  try {
    return explainNode(graph, node, await detail.run(feeds))
  } finally {
    await detail.close()
  }
}

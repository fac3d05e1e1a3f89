import { tensorErrors } from '../errors.ts'
import type { Graph } from '../graph/graph.ts'
import type { Executor, Program } from './executor.ts'
import { loadTfjs, tfjsBackends, type TfjsBackend } from './tfjs-backends.ts'
import { createTfjsProgram } from './tfjs-program.ts'

/** Options of `createTfjsExecutor`. */
export interface TfjsOptions {
  /** Which kernels to use. Default: the first that is installed of 'node-gpu', 'node', 'wasm', 'js'. */
  readonly backend?: TfjsBackend
}

/** Runs graphs with TensorFlow.js. */
export interface TfjsExecutor extends Executor {
  readonly backend: TfjsBackend
}

/**
 * Starts TensorFlow.js where it is installed, for machines without ONNX Runtime and as a second opinion: the same graphs,
 * operation by operation. It computes on the caller's thread, so the event loop stands still during a run, and slower than
 * ONNX Runtime does. The packages are optional: `@tensorflow/tfjs-core` with `@tensorflow/tfjs-backend-wasm` or
 * `@tensorflow/tfjs-backend-cpu`, or `@tensorflow/tfjs-node`, or `@tensorflow/tfjs-node-gpu`.
 *
 * @throws TENSOR_RUNTIME_MISSING when no backend, or not the one that is asked for, is installed
 * @example
 * const executor = await createTfjsExecutor({ backend: 'wasm' })
 * const program = await compileGraph(executor, graph)
 */
export async function createTfjsExecutor({ backend }: TfjsOptions = {}): Promise<TfjsExecutor> {
  const loaded = await loadTfjs(backend === undefined ? tfjsBackends : [backend])
  const programs = new Set<Program>()
  let isClosed = false
  return {
    backend: loaded.backend,
    compile: async (graph: Graph) => {
      if (isClosed) throw tensorErrors.CLOSED({ what: 'executor' })
      const program = createTfjsProgram(loaded, graph, () => programs.delete(program))
      programs.add(program)
      return program
    },
    close: async () => {
      isClosed = true
      await Promise.all([...programs].map(program => program.close()))
    },
  }
}

import { Worker } from 'node:worker_threads'
import { siblingModule } from '../sibling-module.ts'
import type { WasmMemory } from '../web-assembly.ts'
import { KernelJob, type HelperData } from './kernel-job.ts'
import { kernelsOf, type OptimKernels } from './kernels.ts'

/** Below this many elements an update is over before a helper is awake. */
const MIN_SHARED_ELEMENTS = 2 ** 18

/** Kernels with helper threads. */
export interface ParallelKernels extends OptimKernels {
  /** Pieces of updates that helpers have done so far. */
  readonly helpedPieces: () => number
  /** Ends the helper threads; the kernels go on without them. */
  readonly close: () => Promise<void>
}

/**
 * The WebAssembly kernels, with large AdamW updates shared between the calling thread and helpers. The results are the
 * same bits. Helpers start with the first large update, sleep between updates and do not keep the process alive;
 * where there is none the calling thread works alone.
 *
 * @param threads the calling thread and its helpers
 */
export function parallelKernels(memory: WasmMemory, threads: number): ParallelKernels {
  const data = { memory, control: KernelJob.control() }
  const kernels = kernelsOf(memory)
  const job = new KernelJob(kernels, data)
  let helpers: readonly Worker[] | undefined
  return {
    ...kernels,
    adamw: (weights, gradients, first, second, factors) => {
      if (weights.length < MIN_SHARED_ELEMENTS) return kernels.adamw(weights, gradients, first, second, factors)
      helpers ??= Array.from({ length: threads - 1 }, () => startHelper(data))
      job.lead([weights, gradients, first, second], factors)
    },
    helpedPieces: () => job.helpedPieces,
    close: async () => {
      const ending = helpers ?? []
      helpers = []
      await Promise.all(ending.map(helper => helper.terminate()))
    },
  }
}

function startHelper(data: HelperData): Worker {
  const helper = new Worker(siblingModule('kernel-helper', import.meta.url), { workerData: data, execArgv: [] })
  helper.on('error', () => undefined) // one that cannot start is not missed: the calling thread takes every piece
  helper.unref()
  return helper
}

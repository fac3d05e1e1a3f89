import { Piscina } from 'piscina'
import { serverErrors } from '../errors.ts'
import { countPixels } from './shared-pixels.ts'
import { transferredBuffers } from './transferred.ts'
import { valueOf, type WorkReply, type WorkRequest } from './work-message.ts'
import type { Works } from './works.ts'

/** Works that are done by threads of their own. */
export interface WorkPool {
  readonly works: Works
  /** Ends the threads. */
  close(): Promise<void>
}

/** What threads may take. */
export interface WorkPoolOptions {
  /** Threads at most; they are started when there is work. */
  readonly threads: number
  /** MiB of the heap of a thread: a file that makes a reader take more ends the thread, not the server. */
  readonly heapMb?: number
}

const defaultHeapMb = 2048
/** MiB of a thread's heap for what was just made; left to itself it grows to 128. */
const youngMb = 48
/** Starting a thread takes a second: it stays for a while after its last work. */
const idleMs = 60_000

/** Makes threads that do long work. */
export function createWorkPool({ threads, heapMb = defaultHeapMb }: WorkPoolOptions): WorkPool {
  const isSource = import.meta.url.endsWith('.ts')
  const pool = new Piscina({
    filename: new URL(`./work-thread${isSource ? '.ts' : '.js'}`, import.meta.url).href,
    execArgv: isSource ? ['--conditions=@qoq-med/source'] : [],
    minThreads: 0,
    maxThreads: threads,
    idleTimeout: idleMs,
    // A thread that waits by Atomics runs none of V8's tasks between two works: it never gives back what its heap has grown to.
    atomics: 'disabled',
    resourceLimits: { maxOldGenerationSizeMb: heapMb, maxYoungGenerationSizeMb: youngMb },
  })
  pool.on('error', () => undefined) // a thread that ended without work is started anew when there is some
  const run = async (name: keyof Works, work: unknown): Promise<never> => {
    const request: WorkRequest = { name, work }
    const reply: WorkReply = await pool
      .run(request, { transferList: transferredBuffers(work) })
      .catch((cause: unknown) => {
        if (isOutOfMemory(cause)) throw serverErrors.WORK_TOO_LARGE({ limitMb: heapMb }, { cause })
        throw cause
      })
    return valueOf(reply) as never // what the work of this name gives
  }
  return {
    works: {
      body: async work => run('body', work),
      decode: async work => countPixels(await run('decode', work)),
      view: async work => run('view', work),
      rewards: async work => run('rewards', work),
      advantages: async work => run('advantages', work),
    },
    close: async () => pool.close({ force: true }),
  }
}

function isOutOfMemory(thrown: unknown): boolean {
  return thrown instanceof Error && 'code' in thrown && thrown.code === 'ERR_WORKER_OUT_OF_MEMORY'
}

import type { HostTensor } from '@qoq-med/encoders'
import {
  compileGraph,
  Graph,
  graphCost,
  type Executor,
  type MemoryMode,
  type Program,
  type Tensor,
} from '@qoq-med/tensor'

/** Something with a key and host inputs whose graph can be built: a `ScoreBatch`, a prefill, a decode step. */
export interface Keyed {
  readonly key: string
  readonly inputs: Readonly<Record<string, HostTensor>>
}

/** Names and shapes of the weights that a graph may ask for. */
export type WeightShapes = ReadonlyMap<string, readonly number[]>

/** Compiled programs by batch key; the least recently used one is closed when there are too many. */
export interface ProgramCache {
  /**
   * The program of a batch, built on first use. Weights that `build` asks for become inputs named as they are, the batch's
   * inputs are named `batch.<name>`.
   */
  program<Batch extends Keyed>(batch: Batch, build: GraphBuilder<Batch>): Promise<CachedProgram>
  close(): Promise<void>
}

/** Records a batch's graph and its outputs. */
export type GraphBuilder<Batch> = (
  graph: Graph,
  batch: Batch,
  look: { weights: (name: string) => Tensor; inputs: (name: string) => Tensor },
) => void

/** A program and the weights it reads. */
export interface CachedProgram {
  readonly program: Program
  /** Weights that the graph reads, in the order it asked for them. */
  readonly weights: readonly string[]
  /** Bytes that the runtime keeps for the next run: about the most that the values of a run take at once, or none. */
  readonly bytes: number
}

/** Settings of a program cache. */
export interface ProgramCacheOptions {
  /** Keeps graphs of different builders apart. */
  readonly purpose: string
  /** Programs kept. Default 24. */
  readonly capacity?: number
  /** Bytes that all programs may keep for their next run, beside the last one's. Default: no limit. */
  readonly capacityBytes?: number
  /**
   * Programs whose values take less than 512 MiB leave their memory to each other between runs: for many shapes of which
   * none is run often. Default false.
   */
  readonly sharesMemory?: boolean
  /** Names the operation that makes a NaN (`compileGraph`). Default false. */
  readonly debug?: boolean
  /** What training graphs keep from the forward pass (`compileGraph`). Default 'fast'. */
  readonly memory?: MemoryMode
  /** Bytes of computed values from which on a training graph is cut (`compileGraph`). */
  readonly segmentBytes?: number | undefined
  /** Where the files of values that stay on disk lie (`Graph.external`). */
  readonly dataFolder?: string | undefined
}

/** Creates a cache of programs on an executor. */
export function createProgramCache(
  executor: Executor,
  shapes: WeightShapes,
  { purpose, capacity = 24, capacityBytes = Infinity, ...options }: ProgramCacheOptions,
): ProgramCache {
  const programs = new Map<string, Promise<CachedProgram>>()
  const evict = async (): Promise<void> => {
    for (const [key, pending] of [...programs].slice(0, -1)) {
      const isOverCount = programs.size > capacity
      if (!isOverCount && (await bytesOf([...programs.values()])) <= capacityBytes) return
      const built = await pending.catch(() => undefined)
      if (!built || (!isOverCount && built.bytes === 0) || !programs.delete(key)) continue
      await built.program.close()
    }
  }
  return {
    program: async (batch, build) => {
      const key = `${purpose} ${batch.key}`
      const cached = programs.get(key) ?? compileBatch(executor, shapes, batch, build, options)
      programs.delete(key)
      programs.set(key, cached)
      // A failed build must not stay: the next call tries again.
      cached.catch(() => programs.delete(key))
      await evict()
      return cached
    },
    close: async () => {
      const all = await Promise.allSettled(programs.values())
      programs.clear()
      const built = all.flatMap(each => (each.status === 'fulfilled' ? [each.value.program] : []))
      await Promise.all(built.map(program => program.close()))
    },
  }
}

/** Values beyond it come from the system in blocks that the allocator gives back at once: a program had better keep them. */
const largeBytes = 2 ** 29

async function bytesOf(programs: readonly Promise<CachedProgram>[]): Promise<number> {
  const settled = await Promise.allSettled(programs)
  return settled.reduce((sum, each) => sum + (each.status === 'fulfilled' ? each.value.bytes : 0), 0)
}

async function compileBatch<Batch extends Keyed>(
  executor: Executor,
  shapes: WeightShapes,
  batch: Batch,
  build: GraphBuilder<Batch>,
  {
    debug = false,
    memory = 'fast',
    segmentBytes,
    sharesMemory = false,
    dataFolder,
  }: Omit<ProgramCacheOptions, 'purpose' | 'capacity'>,
): Promise<CachedProgram> {
  const graph = new Graph()
  const asked = new Map<string, Tensor>()
  const inputs = new Map(
    Object.entries(batch.inputs).map(([name, { shape, dtype }]) => [name, graph.input(`batch.${name}`, shape, dtype)]),
  )
  build(graph, batch, {
    inputs: name => inputs.get(name)!, // a batch asks for its own inputs
    weights: name => {
      const known = asked.get(name)
      if (known) return known
      const tensor = graph.input(name, shapes.get(name)!) // the shapes list every weight of the model
      asked.set(name, tensor)
      return tensor
    },
  })
  const { peakActivationBytes } = graphCost(graph)
  const keepsMemory = !sharesMemory || peakActivationBytes >= largeBytes
  const options = {
    debug,
    memory,
    keepsMemory,
    ...(segmentBytes !== undefined && { segmentBytes }),
    ...(dataFolder !== undefined && { dataFolder }),
  }
  const program = await compileGraph(executor, graph, options)
  return { program, weights: [...asked.keys()], bytes: keepsMemory ? peakActivationBytes : 0 }
}

/** The feeds of a run: the batch's inputs and the weights that the program reads. */
export function batchFeeds(
  { weights }: CachedProgram,
  batch: Keyed,
  weightOf: (name: string) => Float32Array,
): Record<string, Float32Array | Int32Array> {
  return {
    ...Object.fromEntries(weights.map(name => [name, weightOf(name)])),
    ...Object.fromEntries(Object.entries(batch.inputs).map(([name, { data }]) => [`batch.${name}`, data])),
  }
}

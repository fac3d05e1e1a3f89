import type { Graph } from '../graph/graph.ts'
import type { DType, TypedArray } from '../graph/tensor.ts'

/** A declared input or output of a program; a length of -1 is decided by each run. */
export interface Port {
  readonly name: string
  readonly dtype: DType
  readonly shape: readonly number[]
}

/** An array with its shape, needed where the program leaves lengths open. */
export interface ShapedArray {
  readonly data: TypedArray
  readonly shape: readonly number[]
}

/** Values of a program's inputs by name; plain arrays have the declared shape. */
export type Feeds = Readonly<Record<string, TypedArray | ShapedArray>>

/** What becomes of a run's outputs. An output named in none of the three is computed only as far as others need it. */
export interface RunOptions {
  /** Outputs to answer. Default: all that are in neither `into` nor `accumulate`. */
  readonly fetch?: readonly string[]
  /** Outputs to write over arrays on shared memory, with their shape where the program leaves lengths open. */
  readonly into?: Readonly<Record<string, TypedArray | ShapedArray>>
  /** Outputs to add to arrays on shared memory, such as gradients over microbatches. */
  readonly accumulate?: Readonly<Record<string, Float32Array>>
}

/** How an executor compiles a graph. */
export interface ExecutorOptions {
  /** How much the runtime rewrites the graph, where it does. Default 'all'. */
  readonly optimization?: 'none' | 'basic' | 'extended' | 'all'
  /**
   * Whether the runtime keeps a program's working memory from run to run, a little faster for one program; several of some
   * hundred megabytes are faster without, since each then finds what the others left. Default true.
   */
  readonly keepsMemory?: boolean
  /** The folder of the files that a graph's values lie in (`Graph.external`). ONNX Runtime alone reads such files. */
  readonly dataFolder?: string
  /**
   * Which thread of the executor has the program, counted from 0; default 0. Programs of two threads can be loaded at the same time; the
   * order of calls holds for the runs of one thread alone. ONNX Runtime's executor alone has several.
   */
  readonly lane?: number
}

/** A compiled graph or a loaded model. */
export interface Program {
  readonly inputs: readonly Port[]
  readonly outputs: readonly Port[]
  /**
   * Computes outputs from feeds. Runs of one executor are queued and happen in the order of the calls.
   *
   * Feeds on shared memory are read in place, when the run's turn comes: leave them alone until it has ended. Other
   * feeds are copied before the call returns.
   *
   * @returns the fetched outputs by name, in arrays of their own
   * @throws TENSOR_VALUE_NOT_FINITE when the program was compiled with `debug` and an operation makes a NaN or infinity
   * @throws TENSOR_FEED when a name, element type or length does not fit the program
   * @throws TENSOR_RUNTIME_FAILED when the runtime fails; the reason is its own message
   * @throws TENSOR_CLOSED after `close`
   */
  run(feeds: Feeds, options?: RunOptions): Promise<Record<string, TypedArray>>
  /** Frees the program once the runs that are queued have ended. */
  close(): Promise<void>
}

/** Something that runs graphs. `compileGraph` simplifies a graph before it hands it over. */
export interface Executor {
  /**
   * Makes a program of a graph, as it is. Feeds and results have the names of the graph's inputs and outputs.
   *
   * @throws TENSOR_RUNTIME_FAILED when the runtime refuses the graph
   * @throws TENSOR_CLOSED after `close`
   */
  compile(graph: Graph, options?: ExecutorOptions): Promise<Program>
  /** Frees the programs and the runtime once the runs that are queued have ended. */
  close(): Promise<void>
}

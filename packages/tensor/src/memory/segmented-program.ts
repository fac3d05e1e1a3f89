import { checkRun } from '../executors/check-run.ts'
import type { Executor, ExecutorOptions, Feeds, Port, Program, RunOptions } from '../executors/executor.ts'
import { bytesOf } from '../passes/graph-cost.ts'
import type { Graph } from '../graph/graph.ts'
import { typedArrays, type Tensor, type TypedArray } from '../graph/tensor.ts'
import { planSteps } from './plan.ts'
import { segmentGraph } from './segments.ts'
import { createStepGraphs, type StepGraph } from './step-graph.ts'

/** How a graph is cut. */
export interface SegmentOptions extends ExecutorOptions {
  readonly mode: 'saved' | 'recompute'
  /** Bytes of computed values that a segment has at least. */
  readonly segmentBytes: number
}

/**
 * Compiles a training graph, with an output `loss`, as one program per segment. Values go from one to the next through
 * shared memory; equal segments share a program. A graph that is too small to cut, or has no loss, stays whole. Either way
 * the runtime gives its working memory back after each run.
 */
export async function compileSegments(
  executor: Executor,
  graph: Graph,
  { mode, segmentBytes, ...options }: SegmentOptions,
): Promise<Program> {
  const segments = segmentGraph(graph, 'loss', segmentBytes)
  if (segments.forward.length < 2) return executor.compile(graph, { ...options, keepsMemory: false })
  const steps = planSteps(graph, segments, mode).map(createStepGraphs(graph))
  const programs = new Map<string, Program>()
  // Larger rewrites would depend on where the graph is cut: without them the bits are those of the whole graph.
  const settings = { optimization: 'basic', ...options, keepsMemory: false } as const
  for (const { key, graph: each } of steps) {
    if (!programs.has(key)) programs.set(key, await executor.compile(each, settings))
  }
  return new SegmentedProgram(graph, steps, programs)
}

class SegmentedProgram implements Program {
  readonly inputs: readonly Port[]
  readonly outputs: readonly Port[]
  readonly #names: ReadonlyMap<number, string>
  readonly #steps: readonly StepGraph[]
  readonly #programs: ReadonlyMap<string, Program>
  readonly #buffers: ReadonlyMap<number, TypedArray>
  #queue: Promise<unknown> = Promise.resolve()

  constructor(graph: Graph, steps: readonly StepGraph[], programs: ReadonlyMap<string, Program>) {
    this.inputs = graph.inputs.map(({ name, tensor: { dtype, shape } }) => ({ name, dtype, shape }))
    this.outputs = [...graph.outputs].map(([name, { dtype, shape }]) => ({ name, dtype, shape }))
    this.#names = new Map(graph.inputs.map(({ name, tensor }) => [tensor.id, name]))
    this.#steps = steps
    this.#programs = programs
    this.#buffers = assignBuffers(steps)
  }

  async run(feeds: Feeds, options: RunOptions = {}): Promise<Record<string, TypedArray>> {
    const { fetch } = checkRun(this.inputs, this.outputs, feeds, options)
    const copied = copyOwn(feeds)
    const run = this.#queue.then(() => this.#runSteps(copied, { ...options, fetch }))
    this.#queue = run.catch(() => undefined)
    return run
  }

  async close(): Promise<void> {
    await this.#queue
    await Promise.all([...this.#programs.values()].map(program => program.close()))
  }

  async #runSteps(feeds: Feeds, { fetch = [], into = {}, accumulate = {} }: RunOptions) {
    const results: Record<string, TypedArray> = {}
    for (const { key, inputs, kept, outputs } of this.#steps) {
      const pick = <Value>(values: Readonly<Record<string, Value>>): Record<string, Value> =>
        Object.fromEntries(
          [...outputs].flatMap(([name, output]) => (Object.hasOwn(values, output) ? [[name, values[output]!]] : [])),
        )
      const answered = await this.#programs
        .get(key)!
        .run(Object.fromEntries([...inputs].map(([name, tensor]) => [name, this.#valueOf(tensor, feeds)])), {
          fetch: [...outputs].filter(([, output]) => fetch.includes(output)).map(([name]) => name),
          into: { ...this.#targets(kept), ...pick(into) },
          accumulate: pick(accumulate),
        })
      for (const [name, value] of Object.entries(answered)) results[outputs.get(name)!] = value
    }
    return results
  }

  #valueOf({ id }: Tensor, feeds: Feeds): Feeds[string] {
    const name = this.#names.get(id)
    return name === undefined ? this.#buffers.get(id)! : feeds[name]!
  }

  #targets(kept: ReadonlyMap<string, Tensor>): Record<string, TypedArray> {
    return Object.fromEntries([...kept].map(([name, { id }]) => [name, this.#buffers.get(id)!]))
  }
}

/** Copies what is not on shared memory: the caller may change it while the steps run. */
function copyOwn(feeds: Feeds): Feeds {
  return Object.fromEntries(
    Object.entries(feeds).map(([name, feed]) => [
      name,
      'shape' in feed ? { ...feed, data: unshared(feed.data) } : unshared(feed),
    ]),
  )
}

function unshared(data: TypedArray): TypedArray {
  return data.buffer instanceof SharedArrayBuffer ? data : data.slice()
}

/** Gives every kept value an array on shared memory; one whose last reader has run is used again for the same size. */
function assignBuffers(steps: readonly StepGraph[]): Map<number, TypedArray> {
  const lastReader = new Map<number, number>()
  steps.forEach(({ inputs }, at) => [...inputs.values()].forEach(({ id }) => lastReader.set(id, at)))
  const buffers = new Map<number, TypedArray>()
  const free = new Map<number, SharedArrayBuffer[]>()
  steps.forEach(({ inputs, kept }, at) => {
    for (const tensor of kept.values()) {
      const bytes = bytesOf(tensor)
      const view = typedArrays[tensor.dtype] as new (memory: SharedArrayBuffer) => TypedArray // each takes a buffer
      buffers.set(tensor.id, new view(free.get(bytes)?.pop() ?? new SharedArrayBuffer(bytes)))
    }
    for (const { id } of inputs.values()) {
      const buffer = buffers.get(id)?.buffer as SharedArrayBuffer | undefined // made above
      if (!buffer || lastReader.get(id) !== at) continue
      free.set(buffer.byteLength, [...(free.get(buffer.byteLength) ?? []), buffer])
    }
  })
  return buffers
}

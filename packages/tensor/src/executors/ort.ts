import { tensorErrors } from '../errors.ts'
import { checkRun } from './check-run.ts'
import { graphOps } from '../ops/graph-ops.ts'
import { Graph } from '../graph/graph.ts'
import { toOnnx } from '../onnx/emit.ts'
import { encodeModel } from '../onnx/encode-model.ts'
import { splitConstants } from '../onnx/external-constants.ts'
import type { Executor, ExecutorOptions, Feeds, Port, Program, RunOptions } from './executor.ts'
import { deviceRemedies, type OrtDevice } from './ort-device.ts'
import type { Answer, LoadAnswer, LoadRequest, Request, RunAnswer, SessionSettings } from './ort-messages.ts'
import { siblingModule } from '../sibling-module.ts'
import { openWorkerChannel, withoutSurroundings, type WorkerChannel } from './worker-channel.ts'

/** Options of `createOrtExecutor`. */
export interface OrtOptions {
  /** Threads of one operation. The same number gives the same bits. Default 2. */
  readonly threads?: number
  /** Default 'cpu'. */
  readonly device?: OrtDevice
}

/** How a model is loaded. */
export interface LoadOptions extends ExecutorOptions {
  /** Bytes of the constants beside the model, by location. They may lie on shared memory and are free after loading. */
  readonly externalData?: Readonly<Record<string, Uint8Array>>
}

/** Runs graphs and ONNX models with ONNX Runtime in a thread of its own, so that the caller's event loop stays free. */
export interface OrtExecutor extends Executor {
  readonly threads: number
  readonly device: OrtDevice
  /**
   * Loads an ONNX model; the bytes may be reused once the promise is there.
   *
   * @throws TENSOR_RUNTIME_FAILED when the runtime refuses the model
   * @throws TENSOR_CLOSED after `close`
   */
  load(model: Uint8Array, options?: LoadOptions): Promise<Program>
  /**
   * Loads an ONNX model from its file; the files beside it that hold its constants are mapped, not read.
   *
   * @throws TENSOR_RUNTIME_FAILED when the runtime refuses the model, TENSOR_CLOSED after `close`
   */
  loadFile(path: string, options?: ExecutorOptions): Promise<Program>
}

type Channel = WorkerChannel<Request, Answer>

/**
 * Starts ONNX Runtime (the optional package onnxruntime-node) in a worker thread. Operations run one after the other
 * with a fixed number of threads, so a program repeats its results bit for bit. An idle executor does not keep the
 * process alive.
 *
 * @throws TENSOR_RUNTIME_MISSING when onnxruntime-node is not installed or not for this platform
 * @throws TENSOR_DEVICE_MISSING when it cannot compute on the device here; ONNX Runtime would quietly use the CPU
 * @example
 * const executor = await createOrtExecutor({ threads: 2 })
 * const program = await executor.load(encodeModel(model))
 * const { y } = await program.run({ x: Float32Array.of(1, 2) })
 * await executor.close()
 */
export async function createOrtExecutor({ threads = 2, device = 'cpu' }: OrtOptions = {}): Promise<OrtExecutor> {
  const channel = await startOrtWorker(siblingModule('ort-worker', import.meta.url))
  const executor = new WorkerExecutor(channel, threads, device)
  const reason = device === 'cpu' ? undefined : await reasonAgainst(device, channel, executor)
  if (reason === undefined) return executor
  await executor.close()
  throw tensorErrors.DEVICE_MISSING({ device, reason, remedy: deviceRemedies[device] })
}

/** Why a device cannot be used: the package does not have it, or the smallest model does not load. */
async function reasonAgainst(device: OrtDevice, channel: Channel, executor: OrtExecutor): Promise<string | undefined> {
  const devices = await resultOf<readonly string[]>(channel, { type: 'devices' }, 'list its devices')
  if (!devices.includes(device)) return `onnxruntime-node for this platform has ${devices.join(', ')}.`
  const graph = new Graph()
  graph.output('y', graphOps(graph).exp(graph.input('x', [1])))
  try {
    await (await executor.compile(graph)).close()
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message.trim() : String(error)
  }
}

/** Starts the worker's file and waits until it has loaded ONNX Runtime. */
export async function startOrtWorker(file: URL): Promise<Channel> {
  const channel = openWorkerChannel<Request, Answer>(file)
  const started = await request(channel, { type: 'start' }, 'start')
  if (started.type === 'done') return channel
  await channel.stop({ type: 'stop' })
  throw tensorErrors.RUNTIME_MISSING({
    name: 'onnxruntime-node',
    reason: started.reason,
    install: 'onnxruntime-node',
  })
}

class WorkerExecutor implements OrtExecutor {
  readonly threads: number
  readonly device: OrtDevice
  /** By lane; further ones are started when something is loaded there. */
  readonly #lanes: Map<number, Promise<Channel>>
  #programs = 0
  #closing: Promise<void> | undefined

  constructor(channel: Channel, threads: number, device: OrtDevice) {
    this.#lanes = new Map([[0, Promise.resolve(channel)]])
    this.threads = threads
    this.device = device
  }

  async compile(graph: Graph, options?: ExecutorOptions): Promise<Program> {
    // The runtime takes values from files, or from memory beside the model, but not from both.
    if (options?.dataFolder !== undefined) return this.load(encodeModel(toOnnx(graph)), options)
    const { model, externalData } = splitConstants(toOnnx(graph))
    return this.load(encodeModel(model), { ...options, externalData })
  }

  async load(model: Uint8Array, { externalData = {}, dataFolder, ...options }: LoadOptions = {}): Promise<Program> {
    const beside = Object.entries(externalData).map(([path, data]) => ({ path, data: withoutSurroundings(data) }))
    return this.#load({
      model: withoutSurroundings(model),
      externalData: beside,
      settings: { ...this.#settings(options), dataFolder },
      lane: options.lane,
    })
  }

  async loadFile(path: string, options: ExecutorOptions = {}): Promise<Program> {
    return this.#load({ model: path, externalData: [], settings: this.#settings(options), lane: options.lane })
  }

  #settings({ optimization = 'all', keepsMemory = true, lane }: ExecutorOptions): SessionSettings {
    return { threads: this.threads, device: this.device, optimization, keepsMemory, spins: lane === undefined }
  }

  async #load({ lane = 0, ...what }: Loaded): Promise<Program> {
    if (this.#closing) throw tensorErrors.CLOSED({ what: 'executor' })
    const program = this.#programs++
    const message: Request = { type: 'load', program, ...what }
    const channel = await this.#lane(lane)
    const ports = await resultOf<LoadAnswer>(channel, message, 'load the model')
    return new WorkerProgram(channel, program, ports, () => this.#closing !== undefined)
  }

  /** What could not be started is tried again. */
  #lane(lane: number): Promise<Channel> {
    const known = this.#lanes.get(lane)
    if (known) return known
    const started = startOrtWorker(siblingModule('ort-worker', import.meta.url))
    this.#lanes.set(lane, started)
    started.catch(() => this.#lanes.delete(lane))
    return started
  }

  close(): Promise<void> {
    this.#closing ??= this.#stop()
    return this.#closing
  }

  async #stop(): Promise<void> {
    const stopping = [...this.#lanes.values()].map(async lane => {
      const channel = await lane.catch(() => undefined) // who asked for it was told
      await channel?.stop({ type: 'stop' })
    })
    await Promise.all(stopping)
  }
}

/** What is loaded, and where. */
interface Loaded extends Omit<LoadRequest, 'type' | 'program'> {
  readonly lane: number | undefined
}

class WorkerProgram implements Program {
  readonly inputs: readonly Port[]
  readonly outputs: readonly Port[]
  readonly #channel: Channel
  readonly #program: number
  readonly #executorIsClosed: () => boolean
  #closing: Promise<void> | undefined

  constructor(channel: Channel, program: number, { inputs, outputs }: LoadAnswer, executorIsClosed: () => boolean) {
    this.inputs = inputs
    this.outputs = outputs
    this.#channel = channel
    this.#program = program
    this.#executorIsClosed = executorIsClosed
  }

  async run(feeds: Feeds, options: RunOptions = {}): Promise<RunAnswer> {
    if (this.#closing || this.#executorIsClosed()) throw tensorErrors.CLOSED({ what: 'program' })
    const checked = checkRun(this.inputs, this.outputs, feeds, options)
    const message: Request = { type: 'run', program: this.#program, ...checked }
    return resultOf<RunAnswer>(this.#channel, message, 'run the program')
  }

  close(): Promise<void> {
    this.#closing ??= this.#release()
    return this.#closing
  }

  async #release(): Promise<void> {
    if (this.#executorIsClosed()) return
    await resultOf(this.#channel, { type: 'release', program: this.#program }, 'free the program')
  }
}

async function resultOf<Value>(channel: Channel, message: Request, action: string): Promise<Value> {
  const answer = await request(channel, message, action)
  if (answer.type === 'done') return answer.value as Value // each request has one type of answer
  throw tensorErrors.RUNTIME_FAILED({ action, node: nodeIn(answer.reason), reason: answer.reason })
}

async function request(channel: Channel, message: Request, action: string): Promise<Answer> {
  try {
    return await channel.request(message)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw tensorErrors.RUNTIME_FAILED({ action, reason }, { cause })
  }
}

/** Finds "name (Operator)" in the three ways in which ONNX Runtime names a node. */
function nodeIn(reason: string): string | undefined {
  const running = /running (?<operator>\w+) node\. Name:'(?<name>[^']*)'/.exec(reason)
  const loading = /Node ?\((?<name>[^)"]*)\) Op \((?<operator>\w+)\)/.exec(reason)
  const parsing = /Node, \("(?<name>[^"]*)", (?<operator>\w+),/.exec(reason)
  const groups = (running ?? loading ?? parsing)?.groups
  return groups && `${groups['name']} (${groups['operator']})`
}

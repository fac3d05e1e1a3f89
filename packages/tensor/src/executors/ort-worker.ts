// The thread that ONNX Runtime lives in. It is started as a file of its own, also straight from the sources under Node's
// type stripping, and therefore imports nothing but types, Node and ONNX Runtime.
import { parentPort } from 'node:worker_threads'
import type * as Runtime from 'onnxruntime-node'
import type { Port } from './executor.ts'
import type { Answer, LoadAnswer, LoadRequest, Request, RunAnswer, RunRequest, TensorMessage } from './ort-messages.ts'

type Ort = typeof Runtime

const optimizationLevels = { none: 'disabled', basic: 'basic', extended: 'extended', all: 'all' } as const
/** Element types that come and go as arrays. */
const passedTypes = ['float32', 'int32', 'int64', 'uint8', 'int8', 'float16', 'bool'] as const
const sessions = new Map<number, Runtime.InferenceSession>()
// ONNX Runtime's JavaScript takes half-precision numbers in this array where there is one, and its native part then finds none.
Reflect.deleteProperty(globalThis, 'Float16Array')

let runtime: Ort | undefined
let queue = Promise.resolve()

parentPort?.on('message', (request: Request) => {
  queue = queue.then(() => answer(request))
})

async function answer(request: Request): Promise<void> {
  try {
    const value = await handle(request)
    const transfer = request.type === 'run' ? Object.values(value as RunAnswer).map(output => output.buffer) : [] // the answer to 'run'
    post({ type: 'done', value }, transfer as ArrayBuffer[]) // outputs are never on shared memory
  } catch (error) {
    post({ type: 'failed', reason: error instanceof Error ? error.message : String(error) })
  }
  if (request.type === 'stop') parentPort?.close()
}

function post(message: Answer, transfer: ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, transfer)
}

async function handle(request: Request): Promise<LoadAnswer | RunAnswer | readonly string[] | undefined> {
  if (request.type === 'start') {
    runtime = await import('onnxruntime-node')
    // What it prints goes past every stream of ours, in colours; errors reach the caller.
    runtime.env.logLevel = 'fatal'
  }
  if (request.type === 'devices')
    return ort()
      .listSupportedBackends()
      .map(({ name }) => name)
  if (request.type === 'load') return load(ort(), request)
  if (request.type === 'run') return run(ort(), request)
  if (request.type === 'release') await release(request.program)
  if (request.type === 'stop') for (const program of sessions.keys()) await release(program)
  return undefined
}

function ort(): Ort {
  if (runtime === undefined) throw new Error('ONNX Runtime has not been started.')
  return runtime
}

async function load(
  { InferenceSession: Session }: Ort,
  { program, model, externalData, settings }: LoadRequest,
): Promise<LoadAnswer> {
  const options: Runtime.InferenceSession.SessionOptions = {
    executionProviders: settings.device === 'cpu' ? ['cpu'] : [settings.device, 'cpu'],
    executionMode: 'sequential',
    intraOpNumThreads: settings.threads,
    interOpNumThreads: 1,
    graphOptimizationLevel: optimizationLevels[settings.optimization],
    // A planned block beside what the first run allocated would nearly double the memory, and is no faster.
    enableMemPattern: false,
    // Behind a mask, the softmax's exponentials end as denormal numbers, which a processor multiplies at a hundredth of its speed.
    extra: {
      session: {
        set_denormal_as_zero: '1',
        ...(!settings.spins && { force_spinning_stop: '1' }),
        ...(settings.dataFolder !== undefined && {
          model_external_initializers_file_folder_path: settings.dataFolder,
        }),
      },
    },
    enableCpuMemArena: settings.keepsMemory,
    logSeverityLevel: 4, // errors reach the caller; nothing is printed
    // ONNX Runtime takes a Buffer here, and only here memory that is shared.
    externalData: externalData.map(({ path, data }) => ({
      path,
      data: Buffer.from(data.buffer, data.byteOffset, data.byteLength),
    })),
  }
  const session =
    typeof model === 'string' ? await Session.create(model, options) : await Session.create(onOwnMemory(model), options)
  sessions.set(program, session)
  return { inputs: session.inputMetadata.map(portOf), outputs: session.outputMetadata.map(portOf) }
}

function onOwnMemory(model: Uint8Array): Uint8Array {
  return model.buffer instanceof SharedArrayBuffer ? new Uint8Array(model) : model
}

function portOf(metadata: Runtime.InferenceSession.ValueMetadata): Port {
  const { name } = metadata
  if (!metadata.isTensor) throw new Error(`"${name}" is not a tensor.`)
  const { type: dtype } = metadata
  const passed = passedTypes.find(each => each === dtype)
  if (passed === undefined)
    throw new Error(`"${name}" has elements of type ${dtype}; ${passedTypes.join(', ')} can pass.`)
  return { name, dtype: passed, shape: metadata.shape.map(length => (typeof length === 'number' ? length : -1)) }
}

async function run({ Tensor: OrtTensor }: Ort, request: RunRequest): Promise<RunAnswer> {
  const session = sessions.get(request.program)
  if (session === undefined) throw new Error(`There is no program ${request.program}.`)
  const tensors = (messages: Readonly<Record<string, TensorMessage>>): Record<string, Runtime.Tensor> =>
    mapped(messages, ({ dtype, data, shape }) => new OrtTensor(dtype as keyof Runtime.Tensor.DataTypeMap, data, shape)) // no port has one of the other two
  const wanted = [...request.fetch, ...Object.keys(request.accumulate)]
  const fetches = { ...Object.fromEntries(wanted.map(name => [name, null])), ...tensors(request.into) }
  const outputs = await session.run(tensors(request.feeds), fetches)
  for (const [name, sums] of Object.entries(request.accumulate)) addTo(sums, outputs[name]?.data as Float32Array) // dtype checked before
  const answered = new Set(request.fetch)
  for (const [name, output] of Object.entries(outputs)) if (!answered.has(name)) discard(output)
  return Object.fromEntries(request.fetch.map(name => [name, outputs[name]?.data])) as RunAnswer // names checked before
}

function mapped<From, To>(record: Readonly<Record<string, From>>, map: (value: From) => To): Record<string, To> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]))
}

function addTo(sums: Float32Array, values: Float32Array): void {
  for (let i = 0; i < sums.length; i++) sums[i]! += values[i]!
}

/** Frees the copy of an output at once: ONNX Runtime answers one even of what it wrote in place, and collection comes late. */
function discard(output: Runtime.Tensor): void {
  const { buffer } = output.data as Float32Array // only numbers are fetched
  if (buffer instanceof ArrayBuffer) buffer.transfer(0)
}

async function release(program: number): Promise<void> {
  const session = sessions.get(program)
  sessions.delete(program)
  await session?.release()
}

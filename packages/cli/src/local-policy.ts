import { createHash } from 'node:crypto'
import type { CacheType, FrozenModel, LocalPolicy, MropeRule, PackedType, WeightsType } from '@qoq-med/model'
import type { Executor, ExecutorDevice } from '@qoq-med/tensor'
import { byteText } from './byte-size.ts'
import type { CommandOutput } from './command-output.ts'
import { cliErrors } from './errors.ts'

/** Where a command computes. */
export const deviceArgument = {
  type: 'string',
  value: 'NAME',
  choices: ['cpu', 'cuda', 'webgpu', 'coreml', 'dml', 'tfjs'],
  aliases: { gpu: 'cuda' },
  default: 'cpu',
  description:
    'where it computes; gpu means cuda; tfjs is TensorFlow.js, if it is installed: slow, and nothing else runs meanwhile',
} as const

/** Arguments of every command that runs a model. */
export const runArguments = {
  threads: {
    type: 'number',
    value: 'N',
    integer: true,
    min: 1,
    max: 256,
    default: 2,
    description: 'threads of the engine; the same number gives the same bits',
  },
  device: deviceArgument,
  mropeRule: {
    type: 'string',
    value: 'RULE',
    choices: ['legacy', 'hf5'],
    default: 'legacy',
    description: "positions after a video: legacy as in the paper's time, hf5 as in transformers 5",
  },
} as const

/** Ways to keep the weights of a model that answers; `auto` is the most exact one that leaves the machine room. */
const weightsChoices = ['auto', 'stored', 'float32', 'bfloat16', 'int8', 'int4', 'float16'] as const

/** Arguments of commands that answer, where a rounded model will do. */
export const servingArguments = {
  ...runArguments,
  weights: {
    type: 'string',
    value: 'TYPE',
    choices: weightsChoices,
    default: 'auto',
    description:
      'how weights are kept for answering: the fewer bits, the smaller, faster and less exact; stored keeps the codes of a GGUF file; bfloat16 is exact for checkpoints in it, half as large as float32 and slow; auto chooses by the memory of the machine; float16 is for devices with kernels for it',
  },
  cacheType: {
    type: 'string',
    value: 'TYPE',
    choices: ['float32', 'float16', 'int8'],
    default: 'float32',
    description:
      'how keys and values of past tokens are kept, on the CPU: float16 takes half, int8 about a quarter of the memory',
  },
} as const

/** How a model is opened. */
export interface OpenPolicyOptions {
  readonly folder: string
  readonly threads: number
  /** Default cpu. */
  readonly device?: ExecutorDevice
  readonly mropeRule: MropeRule
  /** Pixels that a picture is shown with at most; as the model says by default. */
  readonly maxPixels?: number | undefined
  /** Default float32. */
  readonly weights?: (typeof weightsChoices)[number]
  /** How keys and values of past tokens are kept. Default float32. */
  readonly cacheType?: CacheType
  /** When it is aborted, packing stops, and nothing waits for what the runtime still computes. */
  readonly signal?: AbortSignal | undefined
}

/** What tells a model's answers from those of another checkpoint of its name. */
export interface Answering {
  /** Hashes the weights and how they are kept. */
  fingerprint(): string
}

type Work<Value> = (policy: LocalPolicy, answering: Answering) => Promise<Value>

/**
 * Opens a model folder as a policy, does some work with it, and closes engine and policy whatever happens.
 *
 * @throws what opening the model throws (MODEL_FOLDER_INVALID, MODEL_TENSOR_SHAPE, MODEL_MEMORY_SHORT, …), and what the work throws
 */
export async function withPolicy<Value>(
  options: OpenPolicyOptions,
  output: Pick<CommandOutput, 'progress' | 'note'>,
  work: Work<Value>,
): Promise<Value> {
  const { folder, device = 'cpu', weights = 'float32', cacheType = 'float32' } = options
  if (cacheType !== 'float32' && (device !== 'cpu' || weights === 'float16'))
    throw cliErrors.VALUE_INVALID({ name: '--cache-type', value: cacheType, expected: 'float32 there' })
  output.progress(`Reading the model in ${folder}`)
  const weightsType = await weightsTypeOf(options, output)
  const isPacked =
    device === 'cpu' && weightsType !== 'float16' && (weightsType !== 'float32' || cacheType !== 'float32')
  if (weights === 'auto') output.note(`Weights are kept in ${weightsType}; --weights chooses otherwise.`)
  if (isPacked) return withPackedPolicy(options, weightsType, work)
  // Other devices have no kernels for these two.
  const isWidened = weightsType === 'stored' || weightsType === 'bfloat16'
  return withPlainPolicy(options, isWidened ? 'float32' : weightsType, work)
}

/** The type that was asked for, or the one that suits the machine; what cannot fit is refused before anything is read. */
async function weightsTypeOf(
  { folder, mropeRule, maxPixels, weights = 'float32', cacheType }: OpenPolicyOptions,
  output: Pick<CommandOutput, 'progress'>,
): Promise<WeightsType | PackedType> {
  if (weights === 'float16') return weights
  const { openModel, requireMemory, weightsTypeFor } = await import('@qoq-med/model')
  const opened = await openModel(folder, { mropeRule, maxPixels })
  await opened.close()
  const { name, config, parameters } = opened.model
  const model = { name, config, parameters, stored: opened.stored }
  const weightsType = weights === 'auto' ? weightsTypeFor(model, { cacheType }) : weights
  const { total } = requireMemory(model, { weightsType, cacheType })
  output.progress(`Reading the model in ${folder}: about ${byteText(total)} in ${weightsType}`)
  return weightsType
}

async function withPackedPolicy<Value>(
  { folder, threads, mropeRule, maxPixels, cacheType = 'float32', signal }: OpenPolicyOptions,
  weightsType: PackedType,
  work: Work<Value>,
): Promise<Value> {
  const { LocalPolicy, openPackedModel } = await import('@qoq-med/model')
  const packed = await openPackedModel(folder, { mropeRule, maxPixels, weightsType, signal })
  try {
    const { createOrtExecutor } = await import('@qoq-med/tensor')
    const executor = await createOrtExecutor({ threads })
    const policy = new LocalPolicy({ packed, executor, cacheType })
    const fingerprint = (): string => (cacheType === 'float32' ? packed.key : `${packed.key} ${cacheType}`)
    return await closing(work(policy, { fingerprint }), { policy, executor, signal })
  } finally {
    await packed.close()
  }
}

async function withPlainPolicy<Value>(
  { folder, threads, device = 'cpu', mropeRule, maxPixels, signal }: OpenPolicyOptions,
  weightsType: WeightsType,
  work: Work<Value>,
): Promise<Value> {
  const { LocalPolicy, loadFrozenModel } = await import('@qoq-med/model')
  const loaded = await loadFrozenModel(folder, { mropeRule, maxPixels })
  const { createExecutor } = await import('@qoq-med/tensor')
  const executor = await createExecutor({ device, threads })
  const policy = new LocalPolicy({ ...loaded, weightsType, weightsVersion: 'frozen', executor })
  const fingerprint = (): string => weightFingerprint(loaded, device)
  return closing(work(policy, { fingerprint }), { policy, executor, signal })
}

interface Running {
  readonly policy: LocalPolicy
  readonly executor: Executor
  readonly signal: AbortSignal | undefined
}

/** The runtime computes a part of a prompt to its end, which takes seconds: whoever interrupts does not wait for it. */
async function closing<Value>(work: Promise<Value>, { policy, executor, signal }: Running): Promise<Value> {
  try {
    return await work
  } finally {
    const closed = policy.close().then(() => executor.close())
    if (signal?.aborted) closed.catch(() => undefined)
    else await closed
  }
}

/** Hashes every weight of a model, and a device that is not the CPU. */
function weightFingerprint({ model, weights }: FrozenModel, device: ExecutorDevice): string {
  const hash = createHash('sha256')
  if (device !== 'cpu') hash.update(device)
  for (const { name } of model.parameters) {
    const { buffer, byteOffset, byteLength } = weights(name)
    hash.update(name).update(new Uint8Array(buffer, byteOffset, byteLength))
  }
  return hash.digest('hex')
}

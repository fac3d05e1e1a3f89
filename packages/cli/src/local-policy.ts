import { createHash } from 'node:crypto'
import type { LocalPolicy, MropeRule, PolicyModel, WeightedModel, WeightsType } from '@qoq-med/model'
import type { ExecutorDevice } from '@qoq-med/tensor'
import type { CommandOutput } from './command-output.ts'

/** Where a command computes. */
export const deviceArgument = {
  type: 'string',
  value: 'NAME',
  choices: ['cpu', 'cuda', 'webgpu', 'coreml', 'dml', 'tfjs'],
  default: 'cpu',
  description: 'where it computes; tfjs is TensorFlow.js, if it is installed: slow, and nothing else runs meanwhile',
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

/** Arguments of commands that answer, where a rounded model will do. */
export const servingArguments = {
  ...runArguments,
  weights: {
    type: 'string',
    value: 'TYPE',
    choices: ['float32', 'float16', 'int4'],
    default: 'float32',
    description:
      'how weights are kept for answering: int4 is smaller and faster, and a little less exact; float16 is for devices with kernels for it',
  },
} as const

/** How a model is opened. */
export interface OpenPolicyOptions {
  readonly folder: string
  readonly threads: number
  /** Default cpu. */
  readonly device?: ExecutorDevice
  readonly mropeRule: MropeRule
  /** Default float32. */
  readonly weights?: WeightsType
}

/**
 * Opens a model folder as a policy, does some work with it, and closes engine and policy whatever happens.
 *
 * @throws what opening the model throws (MODEL_FOLDER_INVALID, MODEL_TENSOR_SHAPE, …), and what the work throws
 */
export async function withPolicy<Value>(
  { folder, threads, device = 'cpu', mropeRule, weights: weightsType = 'float32' }: OpenPolicyOptions,
  output: Pick<CommandOutput, 'progress'>,
  work: (policy: LocalPolicy, weighted: WeightedModel) => Promise<Value>,
): Promise<Value> {
  const { LocalPolicy, loadModel } = await import('@qoq-med/model')
  output.progress(`Reading the model in ${folder}`)
  const weighted = await loadModel(folder, { mropeRule, trainable: () => false })
  const { createExecutor } = await import('@qoq-med/tensor')
  const executor = await createExecutor({ device, threads })
  const { model, store } = weighted
  const weights = (name: string): Float32Array => store.weights(name)
  const policy = new LocalPolicy({ model, weights, weightsType, weightsVersion: 'frozen', executor })
  try {
    return await work(policy, weighted)
  } finally {
    await policy.close()
    await executor.close()
  }
}

/** A size in pixels. */
interface Size {
  readonly width: number
  readonly height: number
}

/** Gives the size at which a model sees a picture of a given size; its boxes are in those pixels. */
export async function seenSizeOf({ imageProcessor }: PolicyModel): Promise<(stored: Size) => Size> {
  const { smartResize } = await import('@qoq-med/encoders')
  const factor = imageProcessor.patchSize * imageProcessor.mergeSize
  return ({ width, height }) => smartResize(height, width, factor, imageProcessor)
}

/** Hashes every weight of a model, and a device that is not the CPU: what tells the answers of two checkpoints of one name apart. */
export function weightFingerprint({ model, store }: WeightedModel, device: ExecutorDevice = 'cpu'): string {
  const hash = createHash('sha256')
  if (device !== 'cpu') hash.update(device)
  for (const { name } of model.parameters) {
    const { buffer, byteOffset, byteLength } = store.weights(name)
    hash.update(name).update(new Uint8Array(buffer, byteOffset, byteLength))
  }
  return hash.digest('hex')
}

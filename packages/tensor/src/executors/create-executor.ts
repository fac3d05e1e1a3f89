import type { Executor } from './executor.ts'
import { ortDevices, type OrtDevice } from './ort-device.ts'
import { createOrtExecutor } from './ort.ts'
import { createTfjsExecutor } from './tfjs.ts'

/** Where a program computes: a device of ONNX Runtime, or TensorFlow.js through the fastest of its backends that is installed. */
export type ExecutorDevice = OrtDevice | 'tfjs'

/** Every device, for choices of command lines and configurations. */
export const executorDevices: readonly [ExecutorDevice, ...ExecutorDevice[]] = [...ortDevices, 'tfjs']

/** What people call a device otherwise: `gpu` means CUDA. */
export const deviceAliases: Readonly<Record<string, ExecutorDevice>> = { gpu: 'cuda' }

/** Options of `createExecutor`. */
export interface CreateExecutorOptions {
  /** Default 'cpu'. */
  readonly device?: ExecutorDevice
  /** Threads of one operation on the CPU; TensorFlow.js chooses its own. Default 2. */
  readonly threads?: number
}

/**
 * Starts the engine of a device: ONNX Runtime, or TensorFlow.js for `tfjs`.
 *
 * @throws TENSOR_RUNTIME_MISSING when the engine is not installed
 * @throws TENSOR_DEVICE_MISSING when ONNX Runtime cannot compute on the device here
 * @example
 * const executor = await createExecutor({ device: 'cuda' })
 */
export async function createExecutor({ device = 'cpu', threads = 2 }: CreateExecutorOptions = {}): Promise<Executor> {
  return device === 'tfjs' ? createTfjsExecutor() : createOrtExecutor({ device, threads })
}

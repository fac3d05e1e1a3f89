import { tensorErrors } from '../errors.ts'
import type { ParameterStore } from '../parameter-store.ts'
import { kernelsOf } from './kernels.ts'

/**
 * Euclidean norm of all gradients of a store together, accumulated in float64.
 *
 * @throws TENSOR_NOT_FINITE with the parameter and the element when a gradient is NaN or infinite
 */
export function gradientNorm(store: ParameterStore): number {
  const kernels = kernelsOf(store.memory)
  const gradients = store.flat('gradients')
  const trainable = store.parameters.filter(parameter => parameter.isTrainable)
  let sum = 0
  for (const [i, { name, offset }] of trainable.entries()) {
    const end = trainable[i + 1]?.offset ?? store.trainableLength
    const squares = kernels.sumOfSquares(gradients.subarray(offset, end))
    // The square of the largest float32 is far below the largest float64: only a NaN or an infinity ends up here.
    if (!Number.isFinite(squares)) throw notFinite(name, store.gradient(name))
    sum += squares
  }
  return Math.sqrt(sum)
}

/**
 * The factor that brings gradients of a norm down to `maxNorm`, and 1 where they are within it:
 *
 *     scale = min(1, maxNorm / (norm + 1e-6))
 *
 * as `torch.nn.utils.clip_grad_norm_` has it. `AdamW.step` takes it as `gradientScale`, which saves a pass over memory.
 */
export function clippingScale(norm: number, maxNorm: number): number {
  return Math.min(1, maxNorm / (norm + 1e-6))
}

/**
 * Scales all gradients of a store in place so that their norm is at most `maxNorm`.
 *
 * @returns the norm before clipping
 * @throws TENSOR_NOT_FINITE with the parameter and the element when a gradient is NaN or infinite
 */
export function clipGradientNorm(store: ParameterStore, maxNorm: number): number {
  const norm = gradientNorm(store)
  const scale = clippingScale(norm, maxNorm)
  if (scale < 1) kernelsOf(store.memory).scale(store.flat('gradients'), scale)
  return norm
}

function notFinite(parameter: string, gradient: Float32Array): Error {
  const index = gradient.findIndex(value => !Number.isFinite(value))
  return tensorErrors.NOT_FINITE({ what: 'gradient', parameter, index, value: gradient[index] ?? Number.NaN })
}

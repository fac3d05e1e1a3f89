import { tensorErrors } from '../errors.ts'
import type { Parameter, ParameterStore, StoreRegion } from '../parameter-store.ts'
import type { AdamWFactors, OptimKernels } from './kernels.ts'
import { parallelKernels, type ParallelKernels } from './parallel-kernels.ts'

/** Options of `createAdamW`; the defaults are PyTorch's. */
export interface AdamWOptions {
  /** Decay rates of the two moments. Default [0.9, 0.999]. */
  readonly betas?: readonly [number, number]
  /** Added to the root of the second moment. Default 1e-8. */
  readonly epsilon?: number
  /** Share of a weight that is taken away per step and unit of learning rate. Default 0.01. */
  readonly weightDecay?: number
  /** Says which parameters decay. Default: all; `isMatrix` leaves out biases and other vectors. */
  readonly decays?: (parameter: Parameter) => boolean
  /** Threads that share a large update: the calling one and helpers. Any number gives the same bits. Default 2. */
  readonly threads?: number
  /** The loops to use instead of WebAssembly: `referenceKernels` are the same in TypeScript. */
  readonly kernels?: OptimKernels
}

/** What one step is made with. */
export interface AdamWStep {
  readonly learningRate: number
  /** Factor on every gradient, as `clippingScale` gives it; the gradients themselves stay as they are. Default 1. */
  readonly gradientScale?: number
}

/** The state of an optimizer between steps: enough to go on as if nothing had happened. */
export interface AdamWState {
  /** Steps made. */
  readonly step: number
  /** First moment of each trainable parameter by name, row-major. */
  readonly firstMoments: Readonly<Record<string, Float32Array>>
  /** Second moment of each trainable parameter by name, row-major. */
  readonly secondMoments: Readonly<Record<string, Float32Array>>
}

/** AdamW over a parameter store. */
export interface AdamW {
  /** Steps made. */
  readonly stepCount: number
  /** Updates weights and moments from the gradients in the store. */
  step(options: AdamWStep): void
  /** The state as views of the store's memory: copy them to keep them over the next step. */
  state(): AdamWState
  /**
   * Continues from a state.
   *
   * @throws TENSOR_OPTIMIZER_STATE when a moment is missing, too many, or of another size
   */
  restore(state: AdamWState): void
  /** Ends the helper threads, which do not keep the process alive either; later steps are made without them. */
  close(): Promise<void>
}

type MomentRegion = 'firstMoments' | 'secondMoments'

/** Weight decay for parameters of two axes or more: not for biases, norms and scalars. */
export function isMatrix({ shape }: Parameter): boolean {
  return shape.length > 1
}

/**
 * Makes an AdamW optimizer with PyTorch's semantics: weight decay apart from the gradient, bias correction of both
 * moments, ε outside the root. The moments in the store are used as they are (zero in a new store).
 *
 * @example
 * const optimizer = createAdamW(store, { weightDecay: 0.1, decays: isMatrix })
 * const gradientScale = clippingScale(gradientNorm(store), 1)
 * optimizer.step({ learningRate: schedule(optimizer.stepCount), gradientScale })
 */
export function createAdamW(store: ParameterStore, options: AdamWOptions = {}): AdamW {
  return new StoreAdamW(store, options)
}

class StoreAdamW implements AdamW {
  readonly #store: ParameterStore
  readonly #kernels: OptimKernels & Partial<ParallelKernels>
  readonly #options: { betas: readonly [number, number]; epsilon: number; weightDecay: number }
  readonly #stretches: readonly Stretch[]
  #stepCount = 0

  constructor(store: ParameterStore, options: AdamWOptions) {
    const { betas = [0.9, 0.999], epsilon = 1e-8, weightDecay = 0.01, decays = () => true, threads = 2 } = options
    this.#store = store
    this.#kernels = options.kernels ?? parallelKernels(store.memory, threads)
    this.#options = { betas, epsilon, weightDecay }
    this.#stretches = stretchesOf(store, decays)
  }

  get stepCount(): number {
    return this.#stepCount
  }

  step({ learningRate, gradientScale = 1 }: AdamWStep): void {
    this.#stepCount++
    for (const { start, end, isDecaying } of this.#stretches) {
      const range = (region: StoreRegion): Float32Array<SharedArrayBuffer> =>
        this.#store.flat(region).subarray(start, end)
      const [first, second] = [range('firstMoments'), range('secondMoments')]
      const factors = this.#factors(learningRate, gradientScale, isDecaying)
      this.#kernels.adamw(range('weights'), range('gradients'), first, second, factors)
    }
  }

  #factors(learningRate: number, scale: number, isDecaying: boolean): AdamWFactors {
    const { betas, epsilon, weightDecay } = this.#options
    const [beta1, beta2] = betas
    return {
      scale,
      oneMinusBeta1: 1 - beta1,
      beta2,
      oneMinusBeta2: 1 - beta2,
      keep: isDecaying ? 1 - learningRate * weightDecay : 1,
      rate: learningRate / (1 - beta1 ** this.#stepCount),
      correction: 1 / Math.sqrt(1 - beta2 ** this.#stepCount),
      epsilon,
    }
  }

  state(): AdamWState {
    const byName = (region: MomentRegion): Record<string, Float32Array> =>
      Object.fromEntries(this.#trainable().map(parameter => [parameter.name, this.#moment(region, parameter)]))
    return { step: this.#stepCount, firstMoments: byName('firstMoments'), secondMoments: byName('secondMoments') }
  }

  restore(state: AdamWState): void {
    const regions = ['firstMoments', 'secondMoments'] as const
    for (const region of regions) checkMoments(state, region, this.#trainable())
    for (const region of regions)
      for (const parameter of this.#trainable())
        this.#moment(region, parameter).set(state[region][parameter.name] ?? [])
    this.#stepCount = state.step
  }

  async close(): Promise<void> {
    await this.#kernels.close?.()
  }

  #trainable(): readonly Parameter[] {
    return this.#store.parameters.filter(parameter => parameter.isTrainable)
  }

  #moment(region: MomentRegion, { offset, size }: Parameter): Float32Array<SharedArrayBuffer> {
    return this.#store.flat(region).subarray(offset, offset + size)
  }
}

/** Neighbouring parameters with the same treatment, as one range of each region. */
interface Stretch {
  readonly start: number
  end: number
  readonly isDecaying: boolean
}

function stretchesOf(store: ParameterStore, decays: (parameter: Parameter) => boolean): Stretch[] {
  const trainable = store.parameters.filter(parameter => parameter.isTrainable)
  const stretches: Stretch[] = []
  for (const [i, parameter] of trainable.entries()) {
    const isDecaying = decays(parameter)
    const end = trainable[i + 1]?.offset ?? store.trainableLength
    const last = stretches.at(-1)
    if (last?.isDecaying === isDecaying) last.end = end
    else stretches.push({ start: parameter.offset, end, isDecaying })
  }
  return stretches
}

function checkMoments(state: AdamWState, region: MomentRegion, trainable: readonly Parameter[]): void {
  const moments = state[region]
  const names = new Set(trainable.map(({ name }) => name))
  const extra = Object.keys(moments).find(name => !names.has(name))
  if (extra !== undefined)
    throw tensorErrors.OPTIMIZER_STATE({ reason: `${region} has ${extra}, which does not train` })
  for (const { name, size } of trainable) {
    const length = moments[name]?.length
    if (length === size) continue
    const found = length === undefined ? 'nothing' : `${length} elements`
    throw tensorErrors.OPTIMIZER_STATE({ reason: `${region} of ${name} needs ${size} elements, found ${found}` })
  }
  if (!Number.isSafeInteger(state.step) || state.step < 0)
    throw tensorErrors.OPTIMIZER_STATE({ reason: `a step count of ${state.step} is impossible` })
}

import { nearestName } from '@qoq-med/errors'
import { tensorErrors } from './errors.ts'
import { sizeOf } from './graph/tensor.ts'
import { MAX_WASM_BYTES, sharedMemory, type WasmMemory } from './web-assembly.ts'

/** A named parameter with its shape. */
export interface ParameterShape {
  readonly name: string
  readonly shape: readonly number[]
}

/** Options of `createParameterStore`. */
export interface ParameterStoreOptions {
  /** Says which parameters get gradients and moments. Default: all. */
  readonly trainable?: (name: string) => boolean
}

/** One parameter of a store and where it lies. */
export interface Parameter extends ParameterShape {
  readonly isTrainable: boolean
  /** Elements; the rest up to a multiple of four is zero and stays zero. */
  readonly size: number
  /** Elements from the start of the weights, and also of the gradients and moments of a trainable parameter. */
  readonly offset: number
}

/** The four regions of a store. A region is flat; trainable parameters come first and in the same place in each. */
export type StoreRegion = 'weights' | 'gradients' | 'firstMoments' | 'secondMoments'

/** Parameters in one shared memory, which threads and WebAssembly read and write in place. */
export interface ParameterStore {
  readonly memory: WasmMemory
  /** In the order of memory: the trainable ones in the order given, then the frozen ones. */
  readonly parameters: readonly Parameter[]
  /** Length of the trainable part of each region with the padding between parameters, in elements. */
  readonly trainableLength: number
  /** A parameter's row. @throws TENSOR_UNKNOWN_PARAMETER */
  parameter(name: string): Parameter
  /** A parameter's weights, row-major. @throws TENSOR_UNKNOWN_PARAMETER */
  weights(name: string): Float32Array<SharedArrayBuffer>
  /** A trainable parameter's gradient, row-major. @throws TENSOR_UNKNOWN_PARAMETER also when it is frozen */
  gradient(name: string): Float32Array<SharedArrayBuffer>
  /** The trainable part of a region, all parameters and their padding. */
  flat(region: StoreRegion): Float32Array<SharedArrayBuffer>
  /** Sets every gradient to zero. */
  zeroGradients(): void
}

/** Elements between starts of parameters: 16 bytes, one WebAssembly vector. */
const ALIGNMENT = 4
/** Bytes before the first region, so that no address is 0. */
const START_BYTES = 16
const BYTES = Float32Array.BYTES_PER_ELEMENT

/**
 * Lays parameters out in one shared memory: the weights of all, then gradients, first and second moments of the
 * trainable ones. Everything is float32, zero at first, and every parameter starts at a multiple of 16 bytes.
 *
 * @throws TENSOR_STORE_TOO_LARGE beyond 4 GiB: 16 bytes per trainable and 4 per frozen element
 * @throws TENSOR_NAME_TAKEN when a name occurs twice
 */
export function createParameterStore(
  specs: readonly ParameterShape[],
  { trainable = () => true }: ParameterStoreOptions = {},
): ParameterStore {
  const { parameters, length, trainableLength } = layOut(specs, trainable)
  const bytes = START_BYTES + (length + 3 * trainableLength) * BYTES
  if (bytes > MAX_WASM_BYTES)
    throw tensorErrors.STORE_TOO_LARGE({ bytes, limitBytes: MAX_WASM_BYTES, parameters: specs.length })
  return new ArenaStore(parameters, sharedMemory(bytes), length, trainableLength)
}

function layOut(
  specs: readonly ParameterShape[],
  trainable: (name: string) => boolean,
): { parameters: Parameter[]; length: number; trainableLength: number } {
  const names = new Set<string>()
  for (const { name } of specs) {
    if (names.has(name)) throw tensorErrors.NAME_TAKEN({ kind: 'parameter', name })
    names.add(name)
  }
  const parameters: Parameter[] = []
  let offset = 0
  const place = (isTrainable: boolean): void => {
    for (const { name, shape } of specs.filter(spec => trainable(spec.name) === isTrainable)) {
      const size = sizeOf(shape)
      parameters.push({ name, shape, isTrainable, size, offset })
      offset += Math.ceil(size / ALIGNMENT) * ALIGNMENT
    }
  }
  place(true)
  const trainableLength = offset
  place(false)
  return { parameters, length: offset, trainableLength }
}

class ArenaStore implements ParameterStore {
  readonly memory: WasmMemory
  readonly parameters: readonly Parameter[]
  readonly trainableLength: number
  readonly #byName: ReadonlyMap<string, Parameter>
  readonly #starts: Readonly<Record<StoreRegion, number>>

  constructor(parameters: readonly Parameter[], memory: WasmMemory, length: number, trainableLength: number) {
    this.memory = memory
    this.parameters = parameters
    this.trainableLength = trainableLength
    this.#byName = new Map(parameters.map(parameter => [parameter.name, parameter]))
    const gradients = START_BYTES + length * BYTES
    const firstMoments = gradients + trainableLength * BYTES
    const secondMoments = firstMoments + trainableLength * BYTES
    this.#starts = { weights: START_BYTES, gradients, firstMoments, secondMoments }
  }

  parameter(name: string): Parameter {
    const parameter = this.#byName.get(name)
    if (parameter !== undefined) return parameter
    throw tensorErrors.UNKNOWN_PARAMETER({
      what: 'parameter',
      name,
      nearest: nearestName(name, [...this.#byName.keys()]),
    })
  }

  weights(name: string): Float32Array<SharedArrayBuffer> {
    const { offset, size } = this.parameter(name)
    return this.#view('weights', offset, size)
  }

  gradient(name: string): Float32Array<SharedArrayBuffer> {
    const { offset, size, isTrainable } = this.parameter(name)
    if (!isTrainable) throw tensorErrors.UNKNOWN_PARAMETER({ what: 'trainable parameter', name })
    return this.#view('gradients', offset, size)
  }

  flat(region: StoreRegion): Float32Array<SharedArrayBuffer> {
    return this.#view(region, 0, this.trainableLength)
  }

  zeroGradients(): void {
    this.flat('gradients').fill(0)
  }

  #view(region: StoreRegion, offset: number, length: number): Float32Array<SharedArrayBuffer> {
    return new Float32Array(this.memory.buffer, this.#starts[region] + offset * BYTES, length)
  }
}

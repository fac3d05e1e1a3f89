import assert from 'node:assert/strict'
import { instantiate, type WasmMemory } from '../web-assembly.ts'
import { optimWasm } from './generated/optim-wasm.ts'

/** A range of a store's region; its start and its length are multiples of four elements. */
export type FlatRange = Float32Array<SharedArrayBuffer>

/** The scalars of one AdamW update, each rounded to float32 before use. */
export interface AdamWFactors {
  /** Factor on the gradients, from clipping. */
  readonly scale: number
  /** 1 − β₁. */
  readonly oneMinusBeta1: number
  /** β₂. */
  readonly beta2: number
  /** 1 − β₂. */
  readonly oneMinusBeta2: number
  /** 1 − learning rate × weight decay. */
  readonly keep: number
  /** Learning rate / (1 − β₁ᵗ). */
  readonly rate: number
  /** 1 / √(1 − β₂ᵗ). */
  readonly correction: number
  readonly epsilon: number
}

/** The loops of the optimizer; `reference-kernels.ts` says the same in TypeScript. */
export interface OptimKernels {
  /** One AdamW update of `weights` and both moments, elementwise. */
  adamw(weights: FlatRange, gradients: FlatRange, first: FlatRange, second: FlatRange, factors: AdamWFactors): void
  /** Σ x², in float64. */
  sumOfSquares(x: FlatRange): number
  /** x = x × factor. */
  scale(x: FlatRange, factor: number): void
  /** average = decay × average + (1 − decay) × x, elementwise; both factors rounded to float32. */
  movingAverage(average: FlatRange, x: FlatRange, decay: number): void
}

/** What tooling/wasm/optim.wat exports; addresses and lengths in bytes. */
interface OptimExports {
  readonly adamw: (w: number, g: number, m: number, v: number, bytes: number, ...factors: readonly number[]) => void
  readonly sumOfSquares: (x: number, bytes: number) => number
  readonly scale: (x: number, bytes: number, factor: number) => void
  readonly movingAverage: (average: number, x: number, bytes: number, decay: number, rest: number) => void
}

const instances = new WeakMap<WasmMemory, OptimKernels>()

/** The WebAssembly kernels on a memory, made at the first call. */
export function kernelsOf(memory: WasmMemory): OptimKernels {
  const made = instances.get(memory) ?? makeKernels(memory)
  instances.set(memory, made)
  return made
}

function makeKernels(memory: WasmMemory): OptimKernels {
  const code = Buffer.from(optimWasm, 'base64')
  const exports = instantiate(code, memory) as unknown as OptimExports // declared in optim.wat
  const { adamw, sumOfSquares, scale, movingAverage } = exports
  const addressOf = (range: FlatRange): number => {
    const isOnMemory = range.buffer === memory.buffer && range.byteOffset % 16 === 0 && range.byteLength % 16 === 0
    assert(isOnMemory, 'a range must lie on the memory of its store, in whole vectors of 16 bytes')
    return range.byteOffset
  }
  return {
    adamw: (weights, gradients, first, second, f) => {
      const factors = [f.scale, f.oneMinusBeta1, f.beta2, f.oneMinusBeta2, f.keep, f.rate, f.correction, f.epsilon]
      const [w, g, m, v] = [addressOf(weights), addressOf(gradients), addressOf(first), addressOf(second)]
      adamw(w, g, m, v, weights.byteLength, ...factors)
    },
    sumOfSquares: x => sumOfSquares(addressOf(x), x.byteLength),
    scale: (x, factor) => scale(addressOf(x), x.byteLength, factor),
    movingAverage: (average, x, decay) =>
      movingAverage(addressOf(average), addressOf(x), x.byteLength, decay, 1 - decay),
  }
}

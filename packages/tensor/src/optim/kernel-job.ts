import type { WasmMemory } from '../web-assembly.ts'
import type { AdamWFactors, FlatRange, OptimKernels } from './kernels.ts'

/** Elements that a thread takes at once: the four ranges of a piece, 1 MiB, fit a core's cache. */
const PIECE = 2 ** 16

/** Words of the control block that threads share. */
const WORD = { generation: 0, state: 1, nextPiece: 2, helpedPieces: 3 } as const
/** `state` of a job that no helper may enter; from 0 on it counts the helpers that are in it. */
const CLOSED = -1
const CONTROL_BYTES = 16
const NUMBERS = 13
/** A helper needs well under a millisecond for a piece; one that takes this long is gone. */
const HELPER_TIMEOUT_MS = 10_000

/** What a helper thread is started with. */
export interface HelperData {
  readonly memory: WasmMemory
  readonly control: SharedArrayBuffer
}

/**
 * One AdamW update at a time, shared out in pieces among the threads that look at the same control block. Whoever comes
 * takes the next piece; helpers that come late find nothing left. The update is elementwise, so that the result does not
 * depend on who did what.
 */
export class KernelJob {
  readonly #kernels: OptimKernels
  readonly #memory: WasmMemory
  readonly #words: Int32Array
  readonly #numbers: Float64Array

  constructor(kernels: OptimKernels, { memory, control }: HelperData) {
    this.#kernels = kernels
    this.#memory = memory
    this.#words = new Int32Array(control, 0, CONTROL_BYTES / 4)
    this.#numbers = new Float64Array(control, CONTROL_BYTES, NUMBERS)
  }

  /** Makes the control block of a job that is closed. */
  static control(): SharedArrayBuffer {
    const control = new SharedArrayBuffer(CONTROL_BYTES + NUMBERS * 8)
    new Int32Array(control)[WORD.state] = CLOSED
    return control
  }

  /** Pieces that helpers have done so far. */
  get helpedPieces(): number {
    return Atomics.load(this.#words, WORD.helpedPieces)
  }

  /** Does an update together with the helpers; returns when all of it is done. */
  lead(ranges: readonly [FlatRange, FlatRange, FlatRange, FlatRange], f: AdamWFactors): void {
    const factors = [f.scale, f.oneMinusBeta1, f.beta2, f.oneMinusBeta2, f.keep, f.rate, f.correction, f.epsilon]
    this.#numbers.set([...ranges.map(range => range.byteOffset), ranges[0].length, ...factors])
    Atomics.store(this.#words, WORD.nextPiece, 0)
    Atomics.store(this.#words, WORD.state, 0)
    Atomics.add(this.#words, WORD.generation, 1)
    Atomics.notify(this.#words, WORD.generation)
    this.#work()
    this.#close()
  }

  /** Sleeps until there is an update newer than `generation`, helps with it, and answers which one it was. */
  help(generation: number): number {
    Atomics.wait(this.#words, WORD.generation, generation)
    const current = Atomics.load(this.#words, WORD.generation)
    if (this.#enter()) {
      Atomics.add(this.#words, WORD.helpedPieces, this.#work())
      Atomics.sub(this.#words, WORD.state, 1)
      Atomics.notify(this.#words, WORD.state)
    }
    return current
  }

  #enter(): boolean {
    for (;;) {
      const helpers = Atomics.load(this.#words, WORD.state)
      if (helpers === CLOSED) return false
      if (Atomics.compareExchange(this.#words, WORD.state, helpers, helpers + 1) === helpers) return true
    }
  }

  #close(): void {
    for (;;) {
      const helpers = Atomics.compareExchange(this.#words, WORD.state, 0, CLOSED)
      if (helpers === 0) return
      if (Atomics.wait(this.#words, WORD.state, helpers, HELPER_TIMEOUT_MS) === 'timed-out')
        throw new Error('A helper thread of the optimizer has stopped in the middle of an update.')
    }
  }

  /** Takes pieces until none is left, and answers how many it took. */
  #work(): number {
    const [w = 0, g = 0, m = 0, v = 0, length = 0, ...rest] = this.#numbers
    const [
      scale = 1,
      oneMinusBeta1 = 0,
      beta2 = 0,
      oneMinusBeta2 = 0,
      keep = 1,
      rate = 0,
      correction = 1,
      epsilon = 0,
    ] = rest
    const factors = { scale, oneMinusBeta1, beta2, oneMinusBeta2, keep, rate, correction, epsilon }
    for (let pieces = 0; ; pieces++) {
      const start = Atomics.add(this.#words, WORD.nextPiece, 1) * PIECE
      if (start >= length) return pieces
      const size = Math.min(PIECE, length - start)
      const piece = (address: number): FlatRange => new Float32Array(this.#memory.buffer, address + start * 4, size)
      this.#kernels.adamw(piece(w), piece(g), piece(m), piece(v), factors)
    }
  }
}

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import openWabt from 'wabt'
import { describe, expect, test } from 'vitest'
import { sharedMemory, type WasmMemory } from '../web-assembly.ts'
import { optimWasm } from './generated/optim-wasm.ts'
import { kernelsOf, type FlatRange } from './kernels.ts'
import { parallelKernels } from './parallel-kernels.ts'
import { referenceKernels } from './reference-kernels.ts'

const factors = {
  scale: 0.3,
  oneMinusBeta1: 1 - 0.9,
  beta2: 0.999,
  oneMinusBeta2: 1 - 0.999,
  keep: 1 - 1e-5,
  rate: 1e-3 / (1 - 0.9),
  correction: 1 / Math.sqrt(1 - 0.999),
  epsilon: 1e-8,
}

type FlatRanges = readonly [FlatRange, FlatRange, FlatRange, FlatRange]

const SIZE = 4096
const bits = (values: Float32Array): Uint32Array => new Uint32Array(values.buffer, values.byteOffset, values.length)

/** Four regions of values over many magnitudes, denormals and zeros included; the second moments are not negative. */
function regions(): { memory: WasmMemory; ranges: FlatRanges } {
  const memory = sharedMemory(4 * SIZE * 4)
  const range = (r: number): FlatRange => new Float32Array(memory.buffer, r * SIZE * 4, SIZE)
  const ranges: FlatRanges = [range(0), range(1), range(2), range(3)]

  ranges.forEach((values, r) => {
    for (let i = 0; i < SIZE; i++) {
      const value = i % 97 === 0 ? 0 : Math.sin(1 + i * (r + 2)) * 10 ** ((i % 60) - 42)
      values[i] = r === 3 ? Math.abs(value) : value
    }
  })
  return { memory, ranges }
}

describe('the WebAssembly kernels', () => {
  test('update as the reference does, bit for bit', () => {
    const [one, two] = [regions(), regions()]
    for (let step = 0; step < 3; step++) {
      kernelsOf(one.memory).adamw(...one.ranges, factors)
      referenceKernels.adamw(...two.ranges, factors)
    }
    one.ranges.forEach((range, r) => expect(bits(range)).toEqual(bits(two.ranges[r] ?? range.subarray(1))))
    expect(one.ranges[0].every(Number.isFinite)).toBe(true)
  })

  test('sum squares and scale as the reference does, bit for bit', () => {
    const { memory, ranges } = regions()
    for (const range of ranges) {
      const part = range.subarray(8, 2052)
      expect(kernelsOf(memory).sumOfSquares(part)).toBe(referenceKernels.sumOfSquares(part))
      const want = Float32Array.from(part, value => Math.fround(value * Math.fround(0.7)))
      kernelsOf(memory).scale(part, 0.7)
      expect(bits(part)).toEqual(bits(want))
    }
    expect(kernelsOf(memory).sumOfSquares(new Float32Array(memory.buffer, 0, 0))).toBe(0)
  })

  test('refuse ranges of another memory or between vectors', () => {
    const { memory, ranges } = regions()
    const elsewhere = regions().ranges[0].subarray(0, 8)
    expect(() => kernelsOf(memory).sumOfSquares(elsewhere)).toThrow(/whole vectors/)
    expect(() => kernelsOf(memory).scale(ranges[0].subarray(1, 5), 2)).toThrow(/whole vectors/)
    expect(() => kernelsOf(memory).scale(ranges[0].subarray(0, 6), 2)).toThrow(/whole vectors/)
  })

  test('share a large update between threads without changing a bit', async () => {
    const length = 5 * 2 ** 17 + 4 // not a whole number of pieces
    const ranges = (memory: WasmMemory): FlatRanges => {
      const range = (r: number): FlatRange => new Float32Array(memory.buffer, r * length * 4, length)
      return [range(0), range(1), range(2), range(3)]
    }
    const [one, two] = [sharedMemory(16 * length), sharedMemory(16 * length)]
    for (const memory of [one, two]) {
      for (let i = 0; i < length; i++) ranges(memory)[1][i] = Math.sin(i)
    }
    const parallel = parallelKernels(one, 3)
    const alone = kernelsOf(two)
    const deadline = performance.now() + 20_000
    while (parallel.helpedPieces() < 20 && performance.now() < deadline) {
      parallel.adamw(...ranges(one), factors)
      alone.adamw(...ranges(two), factors)
      await setImmediate() // lets the helpers start
    }
    expect(parallel.helpedPieces()).toBeGreaterThanOrEqual(20)
    await parallel.close()
    parallel.adamw(...ranges(one), factors)
    alone.adamw(...ranges(two), factors)
    expect(Buffer.from(one.buffer).equals(Buffer.from(two.buffer))).toBe(true)
  })

  test('are the ones that the text in tooling/wasm builds', async () => {
    const wabt = await openWabt()
    const text = readFileSync(new URL('../../../../tooling/wasm/optim.wat', import.meta.url), 'utf8')
    const built = wabt.parseWat('optim.wat', text, { simd: true, threads: true }).toBinary({}).buffer
    const committed = readFileSync(new URL('generated/optim.wasm', import.meta.url))
    const sum = readFileSync(new URL('generated/optim.wasm.sha256', import.meta.url), 'utf8')
    expect(committed.equals(built)).toBe(true)
    expect(Buffer.from(optimWasm, 'base64').equals(built)).toBe(true)
    expect(sum).toBe(`${createHash('sha256').update(built).digest('hex')}  optim.wasm\n`)
  })
})

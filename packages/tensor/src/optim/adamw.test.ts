import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { createParameterStore, type ParameterStore } from '../parameter-store.ts'
import { createAdamW, isMatrix, type AdamW, type AdamWOptions } from './adamw.ts'
import { clipGradientNorm, clippingScale, gradientNorm } from './gradient-norm.ts'
import { referenceKernels } from './reference-kernels.ts'

type Values = Readonly<Record<string, readonly number[]>>

interface Case {
  readonly name: string
  readonly betas: readonly [number, number]
  readonly epsilon: number
  readonly weightDecay: number
  readonly decayVectors: boolean
  readonly maxNorm?: number
  readonly initial: Values
  readonly steps: readonly { learningRate: number; gradients: Values; norm: number; weights: Values }[]
  readonly firstMoments: Values
  readonly secondMoments: Values
}

/** Written by tooling/oracles/adamw.py: PyTorch in float64. */
const golden = JSON.parse(readFileSync(new URL('../../fixtures/adamw.json', import.meta.url), 'utf8')) as {
  readonly shapes: Readonly<Record<string, readonly number[]>>
  readonly cases: readonly Case[]
}
const specs = Object.entries(golden.shapes).map(([name, shape]) => ({ name, shape }))

function start(
  { initial, betas, epsilon, weightDecay, decayVectors }: Case,
  more: AdamWOptions = {},
): [ParameterStore, AdamW] {
  const store = createParameterStore(specs)
  for (const { name } of specs) store.weights(name).set(initial[name] ?? [])
  const decays = decayVectors ? {} : { decays: isMatrix }
  return [store, createAdamW(store, { betas, epsilon, weightDecay, ...decays, ...more })]
}

/** Largest distance to the golden values, relative to a value of 1 or more. */
function distance(got: (name: string) => Float32Array, want: Values): number {
  const distances = Object.entries(want).flatMap(([name, values]) =>
    values.map((value, i) => Math.abs((got(name)[i] ?? Number.NaN) - value) / Math.max(1, Math.abs(value))),
  )
  return Math.max(...distances)
}

describe('createAdamW', () => {
  test.for(golden.cases)('follows PyTorch: $name', testCase => {
    const [store, optimizer] = start(testCase)
    for (const { learningRate, gradients, norm, weights } of testCase.steps) {
      for (const { name } of specs) store.gradient(name).set(gradients[name] ?? [])
      expect(gradientNorm(store)).toBeCloseTo(norm, 12) // the gradients are exact and the sum is float64
      const gradientScale = clippingScale(norm, testCase.maxNorm ?? Infinity)
      optimizer.step({ learningRate, gradientScale })
      expect(distance(name => store.weights(name), weights)).toBeLessThan(4e-7) // some float32 roundings: 2^-24 = 6e-8 each
    }
    const { step, firstMoments, secondMoments } = optimizer.state()
    expect(step).toBe(testCase.steps.length)
    expect(distance(name => firstMoments[name] ?? new Float32Array(), testCase.firstMoments)).toBeLessThan(2e-7)
    expect(distance(name => secondMoments[name] ?? new Float32Array(), testCase.secondMoments)).toBeLessThan(2e-7)
  })

  test.for(golden.cases)('is the same with the kernels in TypeScript: $name', testCase => {
    const [[store, fast], [referenceStore, reference]] = [
      start(testCase),
      start(testCase, { kernels: referenceKernels }),
    ]
    for (const { learningRate, gradients } of testCase.steps) {
      for (const { name } of specs)
        for (const each of [store, referenceStore]) each.gradient(name).set(gradients[name] ?? [])
      fast.step({ learningRate })
      reference.step({ learningRate })
    }
    expect(new Uint8Array(store.memory.buffer)).toEqual(new Uint8Array(referenceStore.memory.buffer))
  })

  test('leaves padding, frozen parameters and the gradients alone', () => {
    const store = createParameterStore(specs, { trainable: name => name !== 'layer.weight' })
    store.weights('layer.weight').fill(3)
    store.gradient('layer.bias').fill(1)
    createAdamW(store).step({ learningRate: 0.1 })
    expect([...store.weights('layer.weight')]).toEqual(Array.from({ length: 15 }, () => 3))
    expect([...store.gradient('layer.bias')]).toEqual(Array.from({ length: 7 }, () => 1))
    expect(store.weights('layer.bias')[6]).toBeCloseTo(-0.1, 6)
    expect(store.flat('weights')[7]).toBe(0) // the eighth element, behind a bias of seven
    expect(store.flat('secondMoments')[7]).toBe(0)
  })

  test('continues from a saved state as if it had never stopped', () => {
    const testCase = golden.cases[0]!
    const [store, optimizer] = start(testCase)
    const [otherStore, other] = start(testCase)
    const advance = (into: ParameterStore, by: AdamW, from: number, to: number): void => {
      for (const { learningRate, gradients } of testCase.steps.slice(from, to)) {
        for (const { name } of specs) into.gradient(name).set(gradients[name] ?? [])
        by.step({ learningRate })
      }
    }
    advance(store, optimizer, 0, 3)
    const saved = structuredClone(optimizer.state())
    otherStore.flat('weights').set(store.flat('weights'))
    other.restore(saved)
    advance(store, optimizer, 3, 6)
    advance(otherStore, other, 3, 6)
    expect(otherStore.flat('weights')).toEqual(store.flat('weights'))
    expect(other.stepCount).toBe(6)
  })

  test.for([
    { name: 'a missing moment', state: { step: 1, firstMoments: {}, secondMoments: {} }, says: /scale.*found nothing/ },
    {
      name: 'a moment of another size',
      state: { step: 1, firstMoments: { scale: new Float32Array(2) }, secondMoments: {} },
      says: /firstMoments of scale needs 1 elements, found 2 elements/,
    },
    {
      name: 'an unknown moment',
      state: { step: 1, firstMoments: { other: new Float32Array(2) }, secondMoments: {} },
      says: /has other/,
    },
    {
      name: 'an impossible count',
      state: { step: -1, firstMoments: { scale: new Float32Array(1) }, secondMoments: { scale: new Float32Array(1) } },
      says: /step count of -1/,
    },
  ])('refuses a state with $name', ({ state, says }) => {
    const optimizer = createAdamW(createParameterStore([{ name: 'scale', shape: [] }]))
    expect(() => optimizer.restore(state)).toThrow(
      expect.objectContaining({ code: 'TENSOR_OPTIMIZER_STATE', message: expect.stringMatching(says) as string }),
    )
  })
})

describe('clipGradientNorm', () => {
  test('scales down to the norm and answers the one before', () => {
    const store = createParameterStore(specs)
    store.gradient('layer.bias').set([3, 0, 0, 0, 0, 0, 0])
    store.gradient('scale').set([-4])
    expect(clipGradientNorm(store, 10)).toBe(5)
    expect(store.gradient('layer.bias')[0]).toBe(3)
    expect(clipGradientNorm(store, 1)).toBe(5)
    expect(store.gradient('layer.bias')[0]).toBeCloseTo(3 / 5, 6)
    expect(store.gradient('scale')[0]).toBeCloseTo(-4 / 5, 6)
    expect(gradientNorm(store)).toBeCloseTo(1, 6)
  })

  test.for([Number.NaN, Infinity, -Infinity])('names the parameter whose gradient is %s', value => {
    const store = createParameterStore(specs)
    store.gradient('layer.weight').fill(1e38) // squares beyond float32, but finite
    expect(gradientNorm(store)).toBeCloseTo(Math.sqrt(15) * Math.fround(1e38), -30)
    store.gradient('layer.bias')[5] = value
    expect(() => clipGradientNorm(store, 1)).toThrow(
      expect.objectContaining({
        code: 'TENSOR_NOT_FINITE',
        message: `The gradient of layer.bias is ${value} at element 5.`,
      }),
    )
  })
})

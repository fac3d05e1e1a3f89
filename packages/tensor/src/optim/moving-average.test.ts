import { describe, expect, test } from 'vitest'
import { createParameterStore } from '../parameter-store.ts'
import { updateMovingAverage } from './moving-average.ts'

function waves(length: number, frequency: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => Math.sin(i * frequency + 1) / (1 + (i % 50)))
}

describe('updateMovingAverage', () => {
  test('moves the average by the share that does not stay', () => {
    const average = Float32Array.of(1, 0, -2)
    updateMovingAverage(average, Float32Array.of(5, 4, -2), 0.75)
    expect([...average]).toEqual([2, 1, -2])
    updateMovingAverage(average, Float32Array.of(9, 9, 9), 1)
    expect([...average]).toEqual([2, 1, -2])
  })

  test('gives the same bits on the memory of a store', () => {
    const store = createParameterStore(['target', 'own'].map(name => ({ name, shape: [1027] })))
    for (const [seed, name] of ['target', 'own'].entries()) store.weights(name).set(waves(1027, seed + 2))
    const [average, values] = [Float32Array.from(store.weights('target')), Float32Array.from(store.weights('own'))]
    for (const decay of [0.996, 0.5]) {
      updateMovingAverage(store.weights('target'), store.weights('own'), decay)
      updateMovingAverage(average, values, decay)
    }
    expect(Float32Array.from(store.weights('target'))).toEqual(average)
    expect(average[3]).not.toBe(values[3])
  })

  test('refuses values of another length', () => {
    expect(() => updateMovingAverage(new Float32Array(2), new Float32Array(3), 0.9)).toThrow(
      expect.objectContaining({ code: 'TENSOR_SHAPE' }),
    )
  })
})

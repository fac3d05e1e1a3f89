import { describe, expect, test } from 'vitest'
import { updateMovingAverage } from './moving-average.ts'

describe('updateMovingAverage', () => {
  test('moves the average by the share that does not stay', () => {
    const average = Float32Array.of(1, 0, -2)
    updateMovingAverage(average, Float32Array.of(5, 4, -2), 0.75)
    expect([...average]).toEqual([2, 1, -2])
    updateMovingAverage(average, Float32Array.of(9, 9, 9), 1)
    expect([...average]).toEqual([2, 1, -2])
  })

  test('refuses values of another length', () => {
    expect(() => updateMovingAverage(new Float32Array(2), new Float32Array(3), 0.9)).toThrow(
      expect.objectContaining({ code: 'TENSOR_SHAPE' }),
    )
  })
})

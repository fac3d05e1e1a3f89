import { describe, expect, test } from 'vitest'
import { lightweightCoreset } from './coreset.ts'
import { uniqueVectors } from './unique-vectors.ts'

describe('uniqueVectors', () => {
  test('it merges equal rows, sorts the rest and says where each row went', () => {
    const { points, pointOf } = uniqueVectors(Float64Array.of(1, 0, 0, 2, 1, 0, 0, 1), 2)
    expect([...points.vectors]).toEqual([0, 1, 0, 2, 1, 0])
    expect([...points.weights]).toEqual([1, 1, 2])
    expect([...pointOf]).toEqual([2, 1, 2, 0])
  })

  test('it counts rows as often as told, and 0 and -0 are one number', () => {
    const { points } = uniqueVectors(Float64Array.of(0, 5, -0), 1, Float64Array.of(2, 3, 4))
    expect([...points.weights]).toEqual([6, 3])
  })
})

describe('lightweightCoreset', () => {
  test('it keeps the weight of the whole up to a few hundredths, and every far point', () => {
    const near = Array.from({ length: 2000 }, (_, point) => Math.sin(point))
    const { points } = uniqueVectors(Float64Array.from([...near, 1000, 2000]), 1)
    const coreset = lightweightCoreset(points, 256)
    const weight = coreset.points.weights.reduce((sum, value) => sum + value, 0)
    expect(coreset.indices.length).toBeLessThanOrEqual(256)
    expect(Math.abs(weight / 2002 - 1)).toBeLessThan(0.05)
    expect([...coreset.points.vectors]).toEqual(expect.arrayContaining([1000, 2000]))
  })
})

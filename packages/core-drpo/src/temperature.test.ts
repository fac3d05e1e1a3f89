import { describe, expect, test } from 'vitest'
import { inverseClusterSizeMean, temperature } from './temperature.ts'

describe('temperature', () => {
  test.for([
    { count: 4, mean: 0.5, want: 1 },
    { count: 1, mean: 0.25, want: 0.25 },
    { count: 9, mean: 0, want: 1e-6 },
    { count: 9, mean: -1, want: 1e-6 },
  ])('of $count questions of mean reward $mean is $want', ({ count, mean, want }) => {
    expect(temperature(count, mean)).toBe(want)
  })
})

describe('inverseClusterSizeMean', () => {
  test('it weighs small clusters more', () => {
    expect(inverseClusterSizeMean(Float64Array.of(1, 0), Float64Array.of(1, 3))).toBeCloseTo(0.75, 12)
  })
})

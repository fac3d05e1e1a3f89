import { describe, expect, test } from 'vitest'
import { wilsonInterval } from './wilson-interval.ts'

describe('wilsonInterval', () => {
  // statsmodels 0.14 proportion_confint(k, n, alpha, method='wilson').
  test.for([
    { k: 10, n: 10, level: 0.95, want: [0.7224672001371106, 1] },
    { k: 0, n: 10, level: 0.95, want: [0, 0.27753279986288926] },
    { k: 3, n: 10, level: 0.95, want: [0.10779126740630104, 0.6032218525388546] },
    { k: 60, n: 60, level: 0.99, want: [0.9004291003744196, 1] },
    { k: 1, n: 1, level: 0.95, want: [0.2065493143772374, 1] },
  ])('gives $want for $k of $n', ({ k, n, level, want }) => {
    const { lower, upper } = wilsonInterval(k, n, level)
    expect(lower).toBeCloseTo(want[0]!, 5)
    expect(upper).toBeCloseTo(want[1]!, 5)
  })

  test('refuses no trials and no level', () => {
    for (const [n, level] of [
      [0, 0.95],
      [3, 1],
    ] as const)
      expect(() => wilsonInterval(0, n, level)).toThrow(expect.objectContaining({ code: 'EVAL_VALUE_OUT_OF_RANGE' }))
  })
})

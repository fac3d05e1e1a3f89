import { describe, expect, test } from 'vitest'
import { mcnemar } from './mcnemar.ts'

describe('mcnemar', () => {
  // p-values: the exact rational 2 * sum C(b + c, k) / 2^(b + c), by Python's fractions.
  test.for([
    { onlyFirst: 0, onlySecond: 0, want: 1 },
    { onlyFirst: 1, onlySecond: 0, want: 1 },
    { onlyFirst: 5, onlySecond: 15, want: 0.04138946533203125 },
    { onlyFirst: 10, onlySecond: 10, want: 1 },
    { onlyFirst: 40, onlySecond: 3, want: 3.0213413992896676e-9 },
    { onlyFirst: 700, onlySecond: 900, want: 6.319484959450139e-7 },
    { onlyFirst: 6, onlySecond: 1200, want: 0 },
  ])('gives p = $want for $onlyFirst against $onlySecond', ({ onlyFirst, onlySecond, want }) => {
    const agreeing = 17
    const first = [...Array(agreeing).fill(1), ...Array(onlyFirst).fill(1), ...Array(onlySecond).fill(0)]
    const second = [...Array(agreeing).fill(1), ...Array(onlyFirst).fill(0), ...Array(onlySecond).fill(1)]
    const got = mcnemar(first, second)
    expect(got).toMatchObject({ onlyFirst, onlySecond })
    expect(Math.abs(got.pValue - want)).toBeLessThanOrEqual(1e-9 * want)
  })

  test('refuses lists of different rows', () => {
    expect(() => mcnemar([1], [1, 0])).toThrow(expect.objectContaining({ code: 'EVAL_LENGTH_MISMATCH' }))
  })
})

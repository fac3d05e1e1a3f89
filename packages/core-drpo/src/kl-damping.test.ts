import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { klOracle } from '../test/kl-oracle.ts'
import { largestError } from '../test/largest-error.ts'
import { klDamping, quantile, type DampingOptions } from './kl-damping.ts'

const printed: DampingOptions = {
  quantile: 0.9,
  sign: 'positive',
  quantileOver: 'all',
  scope: 'response',
  epsilon: 1e-6,
}
const ownQuestion = (count: number): Int32Array => Int32Array.from({ length: count }, (_, response) => response)

describe('klDamping', () => {
  test.for(klOracle.repo_damping_commented_out.map((item, index) => ({ name: `case ${index}`, item })))(
    '$name: |s| and the 0.75-quantile agree with what the public code keeps commented out',
    ({ item }) => {
      const scores = Float64Array.from(item.scores)
      const kl = Float64Array.from(item.kl_rollout)
      const got = klDamping(scores, kl, ownQuestion(scores.length), { ...printed, sign: 'both', quantile: 0.75 })
      expect(largestError(got.weighted, item.z)).toBeLessThanOrEqual(1e-9)
      expect(largestError([Math.max(got.threshold!, 1e-6)], [item.t])).toBeLessThanOrEqual(1e-9)
      expect(largestError(got.factors, item.m)).toBeLessThanOrEqual(1e-9)
      expect(
        largestError(
          scores.map((score, at) => score * got.factors[at]!),
          item.out,
        ),
      ).toBeLessThanOrEqual(1e-9)
    },
  )

  const scaled = Float64Array.of(4, -1, 0, 2)
  const kl = Float64Array.of(1, 1, 3, 3)
  const questionOf = Int32Array.of(0, 0, 1, 1)
  // s'k = 4, -1, 0, 6; the median of each choice of values is the threshold
  test.for([
    { name: 'as printed', change: {}, threshold: 2, factors: [2 / 6, 1, 1, 2 / 8] },
    { name: 'over nonzero values', change: { quantileOver: 'nonzero' }, threshold: 4, factors: [4 / 8, 1, 1, 4 / 10] },
    {
      name: 'over positive values',
      change: { quantileOver: 'positive' },
      threshold: 5,
      factors: [5 / 9, 1, 1, 5 / 11],
    },
    { name: 'of both signs', change: { sign: 'both' }, threshold: 2.5, factors: [2.5 / 6.5, 2.5 / 3.5, 1, 2.5 / 8.5] },
    { name: 'per question', change: { scope: 'group' }, threshold: 5, factors: [5 / 9, 5 / 9, 5 / 11, 5 / 11] },
  ] as const)('$name: the factors are those of the hand-worked case', ({ change, threshold, factors }) => {
    const got = klDamping(scaled, kl, questionOf, { ...printed, quantile: 0.5, ...change })
    expect(got.threshold).toBe(threshold)
    expect(largestError(got.factors, factors)).toBeLessThan(1e-12)
  })

  test('a threshold of 0 or none damps nothing', () => {
    const zeros = klDamping(new Float64Array(4), kl, questionOf, printed)
    expect([zeros.isActive, ...zeros.factors]).toEqual([false, 1, 1, 1, 1])
    const none = klDamping(new Float64Array(4), kl, questionOf, { ...printed, quantileOver: 'positive' })
    expect([none.threshold, none.isActive, ...none.factors]).toEqual([undefined, false, 1, 1, 1, 1])
  })

  test('factors lie in (0, 1], and one per question keeps the mean of a centred group at 0', () => {
    const value = fc.double({ min: -100, max: 100, noNaN: true })
    const pairs = fc.array(fc.tuple(value, fc.double({ min: 0, max: 10, noNaN: true })), {
      minLength: 1,
      maxLength: 20,
    })
    fc.assert(
      fc.property(pairs, rows => {
        const centred = Float64Array.from(rows.flatMap(([s]) => [s, -s]))
        const klOf = Float64Array.from(rows.flatMap(([, k]) => [k, k]))
        const question = Int32Array.from(rows.flatMap((_, index) => [index, index]))
        const { factors } = klDamping(centred, klOf, question, { ...printed, scope: 'group' })
        rows.forEach((_, index) => {
          expect(factors[2 * index]!).toBeGreaterThan(0)
          expect(factors[2 * index]!).toBeLessThanOrEqual(1)
          expect(centred[2 * index]! * factors[2 * index]! + centred[2 * index + 1]! * factors[2 * index + 1]!).toBe(0)
        })
      }),
      { numRuns: 1000 },
    )
  })
})

describe('quantile', () => {
  test.for([
    { values: [3, 1, 2], p: 0.5, want: 2 },
    { values: [1, 2], p: 0.75, want: 1.75 },
    { values: [5], p: 0.9, want: 5 },
    { values: [1, 2, 3], p: 0, want: 1 },
    { values: [1, 2, 3], p: 1, want: 3 },
    { values: [], p: 0.5, want: undefined },
  ])('interpolates $values at $p to $want', ({ values, p, want }) => {
    expect(quantile(Float64Array.from(values), p)).toBe(want)
  })
})

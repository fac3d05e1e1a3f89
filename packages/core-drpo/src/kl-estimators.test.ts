import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { klOracle } from '../test/kl-oracle.ts'
import { largestError } from '../test/largest-error.ts'
import { entropy, fullKl, klEstimators, responseKl, type KlEstimator } from './kl-estimators.ts'

const names = Object.keys(klEstimators) as KlEstimator[] // the table's keys are its names
const perToken = ['kl', 'abs', 'mse', 'low_var_kl'] as const

/** A distribution of 2 to 8 tokens as log-probabilities. */
const distribution = fc
  .array(fc.double({ min: -4, max: 4, noNaN: true }), { minLength: 2, maxLength: 8 })
  .map(logits => {
    const total = Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit), 0))
    return logits.map(logit => logit - total)
  })

/** Largest difference between a gradient and central differences of the value it belongs to. */
function gradientError(
  at: readonly number[],
  value: (logprobs: readonly number[]) => number,
  gradient: Float64Array,
): number {
  const step = 1e-6
  const differences = at.map((_, entry) => {
    const shifted = (by: number): number => value(at.map((x, other) => (other === entry ? x + by : x)))
    return (shifted(step) - shifted(-step)) / (2 * step)
  })
  return largestError(gradient, differences, 1)
}

describe('klEstimators', () => {
  test.for(klOracle.kl.map((item, index) => ({ name: `case ${index}`, item })))(
    '$name: every estimate per token agrees with the public code',
    ({ item }) => {
      for (const name of perToken) {
        const refs = item.ref_logp.flat(2)
        const got = item.logp.flat(2).map((x, at) => klEstimators[name].value(x, refs[at]!))
        expect(largestError(got, item.per_token[name].flat(2), 1)).toBeLessThanOrEqual(1e-6)
      }
    },
  )

  test.for(klOracle.kl.map((item, index) => ({ name: `case ${index}`, item })))(
    '$name: the three readings of eq. 4 agree with float64',
    ({ item }) => {
      const questionKl = (estimator: KlEstimator): number[] =>
        item.logp.map((rows, question) =>
          responseKl(rows, item.ref_logp[question]!, item.mask[question], estimator).reduce((sum, kl) => sum + kl, 0),
        )
      expect(largestError(questionKl('literal'), item.question_kl_literal_eq4)).toBeLessThanOrEqual(1e-9)
      expect(largestError(questionKl('kl'), item.question_kl_montecarlo)).toBeLessThanOrEqual(1e-9)
      expect(largestError(questionKl('low_var_kl'), item.question_kl_low_var)).toBeLessThanOrEqual(1e-9)
      item.logp.forEach((rows, question) => {
        const got = responseKl(rows, item.ref_logp[question]!, item.mask[question])
        expect(largestError(got, item.rollout_low_var_kl[question]!)).toBeLessThanOrEqual(1e-9)
      })
    },
  )

  test.for(names)('the gradient of %s is that of its value', name => {
    const { value, gradient } = klEstimators[name]
    const logprob = fc.double({ min: -5, max: 0, noNaN: true })
    fc.assert(
      fc.property(logprob, logprob, (x, y) => {
        fc.pre(name !== 'abs' || Math.abs(x - y) > 1e-5) // a kink
        fc.pre(name !== 'low_var_kl' || Math.abs(Math.expm1(y - x) - (y - x) - 10) > 1e-4) // another
        expect(gradientError([x], ([at]) => value(at!, y), Float64Array.of(gradient(x, y)))).toBeLessThan(1e-7)
      }),
      { numRuns: 1000 },
    )
  })

  test('k3 is never negative, at most 10, and 0 for equal policies', () => {
    const logprob = fc.double({ min: -30, max: 0, noNaN: true })
    fc.assert(
      fc.property(logprob, logprob, (x, y) => {
        expect(klEstimators.low_var_kl.value(x, y)).toBeGreaterThanOrEqual(0)
        expect(klEstimators.low_var_kl.value(x, y)).toBeLessThanOrEqual(10)
        expect(klEstimators.low_var_kl.value(x, x)).toBe(0)
      }),
      { numRuns: 1000 },
    )
  })
})

describe('responseKl', () => {
  test('it refuses rows of another shape', () => {
    expect(() => responseKl([[0, 0]], [[0]])).toThrow(expect.objectContaining({ code: 'DRPO_TOKEN_ROW_MISMATCH' }))
    expect(() => responseKl([[0]], [[0], [0]])).toThrow(expect.objectContaining({ code: 'DRPO_LENGTH_MISMATCH' }))
  })
})

describe('fullKl', () => {
  test('it is the expectation of k1 and of k3 under the policy, never negative, with the right gradient', () => {
    fc.assert(
      fc.property(distribution, fc.infiniteStream(fc.double({ min: -4, max: 0, noNaN: true })), (logprobs, stream) => {
        const logits = logprobs.map(() => stream.next().value!)
        const total = Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit), 0))
        const refLogprobs = logits.map(logit => logit - total)
        const { value, gradient } = fullKl(logprobs, refLogprobs)
        fc.pre(logprobs.every((x, v) => klEstimators.low_var_kl.value(x, refLogprobs[v]!) < 10)) // not cut off
        for (const name of ['kl', 'low_var_kl'] as const) {
          const mean = logprobs.reduce(
            (sum, x, v) => sum + Math.exp(x) * klEstimators[name].value(x, refLogprobs[v]!),
            0,
          )
          expect(Math.abs(mean - value)).toBeLessThan(1e-9)
        }
        expect(value).toBeGreaterThan(-1e-12)
        expect(gradientError(logprobs, at => fullKl(at, refLogprobs).value, gradient)).toBeLessThan(1e-7)
      }),
      { numRuns: 1000 },
    )
  })
})

describe('entropy', () => {
  test('it is log V for equal chances and 0 for a certain token', () => {
    expect(entropy([0.25, 0.25, 0.25, 0.25].map(Math.log)).value).toBeCloseTo(Math.log(4), 12)
    expect(entropy([0, -Infinity]).value).toBe(0)
  })

  test('its gradient is that of its value', () => {
    fc.assert(
      fc.property(distribution, logprobs => {
        const { value, gradient } = entropy(logprobs)
        expect(value).toBeGreaterThan(-1e-12)
        expect(gradientError(logprobs, at => entropy(at).value, gradient)).toBeLessThan(1e-7)
      }),
      { numRuns: 1000 },
    )
  })
})

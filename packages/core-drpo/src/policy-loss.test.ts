import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { advantageCases } from '../test/advantage-oracle.ts'
import { largestError } from '../test/largest-error.ts'
import { lossAggregations } from './loss-aggregation.ts'
import { policyLoss, type PolicyLossOptions } from './policy-loss.ts'

/** float32 oracles, absolute. */
const SINGLE = 1e-5
/** float64 oracles, relative. */
const DOUBLE = 1e-9

const flat = (rows: readonly ArrayLike<number>[]): number[] => rows.flatMap(row => Array.from(row))

describe('policyLoss', () => {
  test.for(advantageCases)('$name: it agrees with the public code in loss, clip shares and gradient', item => {
    const want = item.policy_loss
    const got = policyLoss(
      {
        policyLogprobs: want.log_probs,
        oldLogprobs: want.old_log_probs,
        advantages: want.advantages,
        lossMask: item.response_mask,
      },
      {
        clipRatioLow: want.clip_low,
        clipRatioHigh: want.clip_high,
        dualClip: want.clip_dual,
        aggregation: 'token-mean',
      },
    )
    const numbers = [got.loss, got.clipFraction, got.dualClipFraction, got.oldKl]
    const wanted = [want.loss, want.clipfrac_higher, want.clipfrac_lower, want.ppo_kl]
    expect(largestError(numbers, wanted, 1)).toBeLessThanOrEqual(SINGLE)
    expect(largestError(flat(got.gradient), flat(want.grad_log_probs), 1)).toBeLessThanOrEqual(SINGLE)
  })

  test.for(advantageCases)("$name: it agrees with the paper's objective", item => {
    const { policy_loss: logprobs, paper_objective: want } = item
    const got = policyLoss(
      {
        policyLogprobs: logprobs.log_probs,
        oldLogprobs: logprobs.old_log_probs,
        advantages: logprobs.advantages,
        refLogprobs: want.ref_log_probs,
        lossMask: item.response_mask,
      },
      { clipRatioLow: want.clip, clipRatioHigh: want.clip, klCoefficient: want.beta },
    )
    expect(largestError([got.loss], [want.loss])).toBeLessThanOrEqual(DOUBLE)
    expect(largestError(flat(got.gradient), flat(want.grad_log_probs))).toBeLessThanOrEqual(DOUBLE)
  })

  const number = fc.double({ min: -2, max: 2, noNaN: true })
  const token = fc.record({
    policy: number,
    old: number,
    ref: number,
    advantage: number,
    trains: fc.boolean(),
  })
  const rows = fc.array(fc.array(token, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 3 })
  const options: fc.Arbitrary<PolicyLossOptions> = fc.record({
    clipRatioLow: fc.constantFrom(0, 0.2, 0.8),
    clipRatioHigh: fc.constantFrom(0.1, 0.3),
    dualClip: fc.constantFrom(0, 3),
    aggregation: fc.constantFrom(...lossAggregations),
    importanceLevel: fc.constantFrom('token', 'sequence'),
    klCoefficient: fc.constantFrom(0, 0.5),
    klEstimator: fc.constantFrom('kl', 'abs', 'mse', 'low_var_kl', 'literal'),
  })

  test('its gradient is that of its loss, for every option', () => {
    const step = 1e-6
    fc.assert(
      fc.property(rows, options, (batch, chosen) => {
        const pick = (name: 'policy' | 'old' | 'ref' | 'advantage'): number[][] =>
          batch.map(row => row.map(item => item[name]))
        const lossMask = batch.map(row => row.map(item => Number(item.trains)))
        const run = (policyLogprobs: number[][]) =>
          policyLoss(
            {
              policyLogprobs,
              oldLogprobs: pick('old'),
              refLogprobs: pick('ref'),
              advantages: pick('advantage'),
              lossMask,
            },
            chosen,
          )
        const { gradient } = run(pick('policy'))
        batch.forEach((row, response) => {
          row.forEach((_, at) => {
            const shifted = (by: number): number => {
              const policyLogprobs = pick('policy')
              policyLogprobs[response]![at]! += by
              return run(policyLogprobs).loss
            }
            const [low, middle, high] = [shifted(-step), shifted(0), shifted(step)]
            const sides = [(middle - low) / step, (high - middle) / step] // they differ at a kink, and it lies between
            expect(gradient[response]![at]!).toBeGreaterThan(Math.min(...sides) - 1e-3)
            expect(gradient[response]![at]!).toBeLessThan(Math.max(...sides) + 1e-3)
          })
        })
      }),
      { numRuns: 1000 },
    )
  })

  test.for([
    { aggregation: 'sequence-mean-token-mean', want: -(1 + 3) / 2 },
    { aggregation: 'token-mean', want: -(1 + 3 * 3) / 4 },
    { aggregation: 'sequence-mean-token-sum-norm', want: -(1 + 9) / (2 * 3) },
  ] as const)('$aggregation weighs a short and a long response as by hand', ({ aggregation, want }) => {
    const logprobs = [[-1], [-1, -2, -3], [-1, -1]]
    const lossMask = [[1], [1, 1, 1], [0, 0]] // the third response does not count
    const got = policyLoss(
      { policyLogprobs: logprobs, oldLogprobs: logprobs, advantages: [1, 3, 9], lossMask },
      { aggregation },
    )
    expect(got.loss).toBeCloseTo(want, 12)
  })

  test('a sequence ratio is the geometric mean of the token ratios', () => {
    const input = { policyLogprobs: [[0.3, -0.1]], oldLogprobs: [[0, 0]], advantages: [1] }
    const got = policyLoss(input, { importanceLevel: 'sequence' })
    expect(got.loss).toBeCloseTo(-Math.exp(0.1), 12)
    expect([...got.gradient[0]!].map(value => value.toFixed(9))).toEqual(Array(2).fill((-Math.exp(0.1) / 2).toFixed(9)))
  })

  test('a batch without training tokens has loss 0', () => {
    const got = policyLoss({ policyLogprobs: [[-1]], oldLogprobs: [[-1]], advantages: [1], lossMask: [[0]] })
    expect([got.loss, got.oldKl, got.clipFraction, got.gradient[0]![0]]).toEqual([0, 0, 0, 0])
  })

  test.for([
    { name: 'rows of another length', input: { oldLogprobs: [[0, 0]] }, code: 'DRPO_TOKEN_ROW_MISMATCH' },
    { name: 'too few rows', input: { oldLogprobs: [] }, code: 'DRPO_LENGTH_MISMATCH' },
    { name: 'too few advantages', input: { advantages: [] }, code: 'DRPO_LENGTH_MISMATCH' },
    { name: 'no reference for a penalty', options: { klCoefficient: 1 }, code: 'DRPO_FIELD_MISSING' },
    { name: 'an unknown option', options: { clipRatio: 1 }, code: 'DRPO_UNKNOWN_OPTION' },
  ])('it refuses $name', ({ input = {}, options: given = {}, code }) => {
    const batch = { policyLogprobs: [[0]], oldLogprobs: [[0]], advantages: [1] }
    expect(() => policyLoss({ ...batch, ...input }, given)).toThrow(expect.objectContaining({ code }))
  })
})

import { describe, expect, test } from 'vitest'
import { advantageBatch, advantageCases, validTokens } from '../test/advantage-oracle.ts'
import { largestError } from '../test/largest-error.ts'
import { advantageEstimators, estimateAdvantages } from './advantage-estimators.ts'
import type { RewardBatch } from './reward-batch.ts'

/** float32 oracles, absolute; float64 oracles, relative. */
const SINGLE = 1e-5
const DOUBLE = 1e-9

function responseAdvantages(name: string, batch: RewardBatch, options = {}): Float64Array {
  const result = estimateAdvantages(name, batch, options)
  if (result.level !== 'response') throw new Error(`${name} answered per token`)
  return result.advantages
}

describe('estimators of one advantage per response', () => {
  test.for(advantageCases)('$name: grpo, rloo and remax agree with the public code on every token', item => {
    const batch = advantageBatch(item)
    for (const name of ['grpo', 'rloo', 'remax'] as const) {
      const got = responseAdvantages(name, batch)
      const tokens = validTokens(item[name], item.response_mask)
      const repeated = tokens.map((row, response) => row.map(() => got[response]!))
      expect(largestError(repeated.flat(), tokens.flat(), 1)).toBeLessThanOrEqual(SINGLE)
    }
  })

  test.for(advantageCases)('$name: grpo, rloo and dr-grpo agree with float64', item => {
    const batch = advantageBatch(item)
    expect(largestError(responseAdvantages('grpo', batch), item.grpo_f64.flat())).toBeLessThanOrEqual(DOUBLE)
    expect(largestError(responseAdvantages('rloo', batch), item.rloo_f64.flat())).toBeLessThanOrEqual(DOUBLE)
    expect(largestError(responseAdvantages('dr-grpo', batch), item.dr_grpo_no_std_f64.flat())).toBeLessThanOrEqual(
      DOUBLE,
    )
    const trl = responseAdvantages('grpo', batch, { epsilon: 1e-4 })
    expect(largestError(trl, item['grpo_trl_eps1e-4_f64'].flat())).toBeLessThanOrEqual(DOUBLE)
  })

  test.for([
    { name: 'grpo', want: [-2, 1, 0, 0, 1].map(value => value / Math.sqrt(3)), options: { epsilon: 0 } },
    { name: 'dr-grpo', want: [-2 / 3, 1 / 3, 0, 0, 1 / 3] },
    { name: 'rloo', want: [-1, 0.5, 0, 0, 0.5] },
    { name: 'opo', want: [-0.5, 0.5, 0, 0, 0.5] },
    { name: 'remax', want: [-0.5, 0.5, 3, 3, 0.5] },
  ])(
    '$name compares the responses of a question, whatever their place in the batch',
    ({ name, want, options = {} }) => {
      const batch = {
        rewards: [0, 1, 4, 4, 1],
        questionIds: ['a', 'a', 'b', 'b', 'a'],
        domains: ['ecg', 'ecg', 'mri', 'mri', 'ecg'],
        lengths: [6, 2, 3, 9, 4],
        baselines: [0.5, 0.5, 1, 1, 0.5],
      }
      expect(largestError(responseAdvantages(name, batch, options), want)).toBeLessThan(1e-12)
    },
  )

  test('a group of equal rewards gets exactly 0 from grpo', () => {
    const batch = { rewards: [0.1, 0.1, 0.1], questionIds: [1, 1, 1], domains: ['a', 'a', 'a'] }
    expect([...responseAdvantages('grpo', batch)]).toEqual([0, 0, 0])
  })

  test.for(['drpo', 'grpo', 'dr-grpo', 'rloo', 'opo'])('%s refuses a group of one', name => {
    const batch = { rewards: [1, 0, 1], questionIds: ['a', 'a', 'b'], domains: ['e', 'e', 'e'], lengths: [1, 1, 1] }
    expect(() => advantageEstimators.get(name).estimate(batch)).toThrow(
      expect.objectContaining({ code: 'DRPO_GROUP_TOO_SMALL', message: expect.stringContaining('Question b has 1') }),
    )
  })

  test('remax asks for the greedy rewards', () => {
    const batch = { rewards: [1], questionIds: ['a'], domains: ['e'] }
    expect(() => estimateAdvantages('remax', batch)).toThrow(
      expect.objectContaining({
        code: 'DRPO_FIELD_MISSING',
        message: 'The batch has no baselines, which remax needs.',
      }),
    )
  })
})

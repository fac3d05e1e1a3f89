import { describe, expect, test } from 'vitest'
import { advantageBatch, advantageCases, validTokens } from '../test/advantage-oracle.ts'
import { largestError } from '../test/largest-error.ts'
import { estimateAdvantages } from './advantage-estimators.ts'
import type { TokenAdvantages } from './advantage-estimator.ts'
import type { RewardBatch } from './reward-batch.ts'
import type { TokenStages } from './token-estimators.ts'

/** float32 oracles, absolute; float64 oracles, relative. */
const SINGLE = 1e-5
const DOUBLE = 1e-9

function tokenAdvantages(name: string, batch: RewardBatch, options = {}): TokenAdvantages<TokenStages, unknown> {
  const result = estimateAdvantages(name, batch, options)
  if (result.level !== 'token') throw new Error(`${name} answered per response`)
  return result as TokenAdvantages<TokenStages, unknown> // both estimators of this file have these stages
}

const flat = (rows: readonly Iterable<number>[]): number[] => rows.flatMap(row => [...row])

describe('estimators of one advantage per token', () => {
  test.for(advantageCases)('$name: reinforce++ agrees with the public code', item => {
    const { advantages, returns } = tokenAdvantages('reinforce++', advantageBatch(item), { gamma: item.gamma })
    const valid = (rows: readonly (readonly number[])[]): number[] => flat(validTokens(rows, item.response_mask))
    expect(largestError(flat(advantages), valid(item.reinforce_pp.advantages), 1)).toBeLessThanOrEqual(SINGLE)
    expect(largestError(flat(returns), valid(item.reinforce_pp.returns), 1)).toBeLessThanOrEqual(SINGLE)
  })

  test.for(advantageCases.slice(0, 10))('$name: the reward of a response falls on its last token', item => {
    const { tokenRewards: _, ...batch } = advantageBatch(item)
    const { returns } = tokenAdvantages('reinforce++', batch, { gamma: item.gamma })
    const want = flat(validTokens(item.reinforce_pp.returns, item.response_mask))
    expect(largestError(flat(returns), want, 1)).toBeLessThanOrEqual(SINGLE)
  })

  test.for(advantageCases)('$name: gae agrees with the public code on masked values', item => {
    const options = { gamma: item.gamma, lambda: item.lam }
    const { advantages, returns } = tokenAdvantages('gae', advantageBatch(item), options)
    const valid = (rows: readonly (readonly number[])[]): number[] => flat(validTokens(rows, item.response_mask))
    expect(largestError(flat(advantages), valid(item.gae_values_masked.advantages), 1)).toBeLessThanOrEqual(SINGLE)
    expect(largestError(flat(returns), valid(item.gae_values_masked.returns), 1)).toBeLessThanOrEqual(SINGLE)
  })

  test.for(advantageCases)('$name: gae without whitening agrees with float64', item => {
    const options = { gamma: item.gamma, lambda: item.lam, whiten: false }
    const { advantages, stages } = tokenAdvantages('gae', advantageBatch(item), options)
    const want = flat(validTokens(item.gae_unwhitened_valid_tokens_f64, item.response_mask))
    expect(largestError(flat(advantages), want)).toBeLessThanOrEqual(DOUBLE)
    expect(largestError(flat(stages!.raw), want)).toBeLessThanOrEqual(DOUBLE)
  })

  test('rewards of single tokens take the place of the reward at the end', () => {
    const batch = {
      rewards: [3],
      questionIds: [1],
      domains: ['ecg'],
      lengths: [3],
      tokenRewards: [[1, 0, 2]],
    }
    const { returns } = tokenAdvantages('reinforce++', batch, { gamma: 0.5 })
    expect([...returns[0]!]).toEqual([1.5, 1, 2])
  })

  test('equal returns are whitened to 0', () => {
    const batch = { rewards: [1, 1], questionIds: [1, 2], domains: ['a', 'a'], lengths: [1, 2] }
    expect(flat(tokenAdvantages('reinforce++', batch).advantages)).toEqual([0, 0, 0])
  })

  test.for([
    {
      name: 'no lengths',
      change: { lengths: undefined },
      code: 'DRPO_FIELD_MISSING',
      message: /no lengths, which gae/,
    },
    {
      name: 'a length of 0',
      change: { lengths: [0, 1] },
      code: 'DRPO_LENGTH_INVALID',
      message: /response 0 \(question 1\) is 0/,
    },
    { name: 'no values', change: { values: undefined }, code: 'DRPO_FIELD_MISSING', message: /no values/ },
    {
      name: 'values of another count',
      change: { values: [[1, 2]] },
      code: 'DRPO_LENGTH_MISMATCH',
      message: /values has 1/,
    },
    {
      name: 'a short row',
      change: { values: [[1], [1]] },
      code: 'DRPO_TOKEN_ROW_MISMATCH',
      message: /response 0 has 1 tokens/,
    },
    {
      name: 'a NaN value',
      change: { values: [[1, Number.NaN], [1]] },
      code: 'DRPO_VALUE_NOT_FINITE',
      message: /is NaN/,
    },
  ])('gae refuses $name', ({ change, code, message }) => {
    const batch = { rewards: [1, 0], questionIds: [1, 1], domains: ['a', 'a'], lengths: [2, 1], values: [[1, 2], [1]] }
    expect(() => estimateAdvantages('gae', { ...batch, ...change })).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) }),
    )
  })
})

import { describe, expect, test } from 'vitest'
import { parseRewardBatch, rewardBatchFields } from './reward-batch-fields.ts'

const batch = { rewards: [1, 0], questionIds: ['a', 1], domains: ['ecg', 'ct'] }
const whole = {
  ...batch,
  demographics: ['F,A2', ''],
  kl: [0.1, 0.2],
  lengths: [1, 2],
  baselines: [0, 1],
  values: [[0], [0, 1]],
  tokenRewards: [[1], [0, 0]],
}

describe('parseRewardBatch', () => {
  test('gives a batch with every field back', () => {
    expect(Object.keys(whole)).toEqual(Object.keys(rewardBatchFields))
    expect(parseRewardBatch(JSON.parse(JSON.stringify(whole)))).toEqual(whole)
    expect(parseRewardBatch(batch)).toEqual(batch)
  })

  test('reads the numbers that JSON does not have', () => {
    const { rewards, values } = parseRewardBatch({
      ...batch,
      rewards: ['NaN', '-Infinity'],
      values: [['Infinity'], []],
    })
    expect([rewards, values]).toEqual([
      [Number.NaN, -Infinity],
      [[Infinity], []],
    ])
  })

  test.for([
    {
      name: 'a list',
      given: [],
      code: 'DRPO_FIELD_INVALID',
      says: 'the batch should be an object, but is a list of 0',
    },
    { name: 'nothing', given: null, code: 'DRPO_FIELD_INVALID', says: 'the batch should be an object' },
    { name: 'no domains', given: { rewards: [], questionIds: [] }, code: 'DRPO_FIELD_MISSING', says: 'no domains' },
    { name: 'a misspelt field', given: { ...batch, reward: [] }, code: 'DRPO_FIELD_UNKNOWN', says: 'no field reward' },
    { name: 'an inherited name', given: { ...batch, toString: 1 }, code: 'DRPO_FIELD_UNKNOWN', says: 'toString' },
    {
      name: 'a number for a list',
      given: { ...batch, kl: 1 },
      code: 'DRPO_FIELD_INVALID',
      says: 'kl should be a list, but is 1',
    },
    {
      name: 'a text among numbers',
      given: { ...batch, rewards: [1, 'Doe, Jane'] },
      code: 'DRPO_FIELD_INVALID',
      says: 'rewards[1] should be a number, but is a string.',
    },
    {
      name: 'a null id',
      given: { ...batch, questionIds: [null, 1] },
      code: 'DRPO_FIELD_INVALID',
      says: 'questionIds[0]',
    },
    {
      name: 'a number for a domain',
      given: { ...batch, domains: ['a', 1] },
      code: 'DRPO_FIELD_INVALID',
      says: 'a text',
    },
    { name: 'half a token', given: { ...batch, lengths: [1, 1.5] }, code: 'DRPO_FIELD_INVALID', says: 'is 1.5' },
    {
      name: 'a flat list of token rewards',
      given: { ...batch, tokenRewards: [1, 0] },
      code: 'DRPO_FIELD_INVALID',
      says: 'tokenRewards[0] should be a list, but is 1',
    },
    {
      name: 'a text in a row',
      given: { ...batch, values: [[0], [0, 'x']] },
      code: 'DRPO_FIELD_INVALID',
      says: 'values[1][1] should be a number',
    },
  ])('refuses $name', ({ given, code, says }) => {
    expect(() => parseRewardBatch(given)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(says) }),
    )
    expect(() => parseRewardBatch(given)).not.toThrow('Jane')
  })
})

import { describe, expect, test } from 'vitest'
import { estimateAdvantages } from './advantage-estimators.ts'
import { groupQuestions, type RewardBatch } from './reward-batch.ts'

const batch: RewardBatch = {
  rewards: [1, 0, 0, 1],
  questionIds: ['a', 'b', 'a', 'b'],
  domains: ['ecg', 'ct', 'ecg', 'ct'],
}

describe('groupQuestions', () => {
  test('it finds the responses of each question, and tells the number 1 from the text 1', () => {
    const groups = groupQuestions({ ...batch, questionIds: [1, '1', 1, '1'] })
    expect(groups.questionIds).toEqual([1, '1'])
    expect(groups.domains).toEqual(['ecg', 'ct'])
    expect([...groups.responses]).toEqual([0, 2, 1, 3])
    expect([...groups.starts]).toEqual([0, 2, 4])
    expect([...groups.domainOf]).toEqual([0, 1])
  })
})

describe('a bad batch', () => {
  test.for([
    {
      name: 'nothing',
      change: { rewards: [], questionIds: [], domains: [] },
      code: 'DRPO_EMPTY_BATCH',
      message: /no responses/,
    },
    {
      name: 'too few ids',
      change: { questionIds: ['a'] },
      code: 'DRPO_LENGTH_MISMATCH',
      message: /questionIds has 1 entries, but rewards has 4/,
    },
    { name: 'too few domains', change: { domains: [] }, code: 'DRPO_LENGTH_MISMATCH', message: /domains has 0/ },
    {
      name: 'a NaN',
      change: { rewards: [1, Number.NaN, 0, 1] },
      code: 'DRPO_VALUE_NOT_FINITE',
      message: /rewards of response 1 \(question b\) is NaN/,
    },
    {
      name: 'an infinite KL',
      change: { kl: [0, 0, Infinity, 0] },
      code: 'DRPO_VALUE_NOT_FINITE',
      message: /kl of response 2 \(question a\) is Infinity/,
    },
    { name: 'too much KL', change: { kl: [0] }, code: 'DRPO_LENGTH_MISMATCH', message: /kl has 1/ },
    {
      name: 'a group of one',
      change: { questionIds: ['a', 'b', 'a', 'a'], domains: ['ecg', 'ct', 'ecg', 'ecg'] },
      code: 'DRPO_GROUP_TOO_SMALL',
      message: /Question b has 1 response/,
    },
    {
      name: 'ragged groups',
      change: {
        rewards: [1, 0, 0, 1, 1],
        questionIds: ['a', 'b', 'a', 'b', 'b'],
        domains: ['ecg', 'ct', 'ecg', 'ct', 'ct'],
      },
      code: 'DRPO_RAGGED_GROUPS',
      message: /Question b has 3 responses, but question a has 2/,
    },
    {
      name: 'a question in two domains',
      change: { domains: ['ecg', 'ct', 'mri', 'ct'] },
      code: 'DRPO_DOMAIN_CONFLICT',
      message: /Question a appears in the domains ecg and mri/,
    },
  ])('$name is refused with its place', ({ change, code, message }) => {
    expect(() => estimateAdvantages('drpo', { ...batch, ...change })).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message), hint: expect.stringMatching(/\.$/) }),
    )
  })

  test.for([
    {
      name: 'a misspelt field',
      given: { questionsIds: ['a'] },
      code: 'DRPO_FIELD_MISSING',
      hint: 'Did you mean questionIds by questionsIds?',
    },
    { name: 'a missing field', given: {}, code: 'DRPO_FIELD_MISSING', hint: 'Add questionIds to the batch.' },
    {
      name: 'an id that is none',
      given: { questionIds: [null, 'a'] },
      code: 'DRPO_FIELD_INVALID',
      hint: /questionIds\[0\] as a text or a number/,
    },
    {
      name: 'a domain that is no text',
      given: { questionIds: ['a', 'a'], domains: [7, 7] },
      code: 'DRPO_FIELD_INVALID',
      hint: /domains\[0\] as a text/,
    },
  ])('$name in untyped input is refused', ({ given, code, hint }) => {
    const untyped = { rewards: [1, 0], domains: ['e', 'e'], ...given } as unknown as RewardBatch // as JSON may bring it
    expect(() => estimateAdvantages('grpo', untyped)).toThrow(
      expect.objectContaining({ code, hint: expect.stringMatching(hint) }),
    )
  })

  test('grpo takes ragged groups', () => {
    const ragged = {
      rewards: [1, 0, 0, 1, 1],
      questionIds: ['a', 'b', 'a', 'b', 'b'],
      domains: ['e', 'c', 'e', 'c', 'c'],
    }
    expect(estimateAdvantages('grpo', ragged).advantages).toHaveLength(5)
  })
})

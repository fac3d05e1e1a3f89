import { describe, expect, test } from 'vitest'
import { estimateAdvantages } from './advantage-estimators.ts'
import { explainAdvantage } from './explain-advantage.ts'

const batch = {
  rewards: [1, 0, 1, 1, 0, 0.5],
  questionIds: ['a', 'a', 'b', 'b', 'c', 'c'],
  domains: ['ecg', 'ecg', 'ecg', 'ecg', 'ct', 'ct'],
  kl: [2, 1, 0, 0, 1, 0],
  lengths: [2, 1, 1, 1, 1, 1],
}

describe('explainAdvantage', () => {
  const result = estimateAdvantages('drpo', batch)

  test('it tells the whole way from reward to advantage', () => {
    expect(explainAdvantage(result, 0).words).toMatchInlineSnapshot(
      `"Response 0 to question a earned 1 where its group has the mean 0.5 and the deviation 0.7071, so s = 0.7071. Domain ecg has 2 questions of mean reward 0.75, so T_g = 1.061. Its cluster (1 of 2, the hardest first) has 1 question of mean reward 0.5, so T_c = 0.5. Divided by both temperatures s becomes 1.333. The question's KL is 3, so with t_p = 7.657 the response is damped to 65.69 %. With the batch deviation 5.343 the advantage is 0.1639."`,
    )
  })

  test('its numbers multiply to the advantage', () => {
    batch.rewards.forEach((_, response) => {
      const { numbers } = explainAdvantage(result, response)
      const scaled = numbers['normalized']! / (numbers['domainTemperature']! * numbers['clusterTemperature']!)
      expect(scaled).toBeCloseTo(numbers['scaled']!, 12)
      expect((scaled * numbers['klDamping']!) / numbers['batchDeviation']!).toBeCloseTo(numbers['advantage']!, 12)
      expect(numbers['advantage']).toBe(result.advantages[response])
    })
  })

  test.for([
    { name: 'equal rewards', response: 2, options: {}, words: /earned 1, as every response to it did, so s = 0/ },
    {
      name: 'no cluster temperature',
      response: 0,
      options: { domainOnly: true },
      words: /No cluster temperature applies/,
    },
    { name: 'no damping', response: 0, options: { noKl: true }, words: /Damping is off/ },
    { name: 'a threshold of 0', response: 0, options: { dampingQuantile: 0 }, words: /t_p is not above ε/ },
    { name: 'an undamped response', response: 1, options: {}, words: /is not damped \(t_p = / },
  ])('it says $name', ({ response, options, words }) => {
    expect(explainAdvantage(estimateAdvantages('drpo', batch, options), response).words).toMatch(words)
  })

  test('it says that a batch has no KL', () => {
    expect(explainAdvantage(estimateAdvantages('drpo', { ...batch, kl: undefined }), 0).words).toMatch(/no KL/)
  })

  test.for([
    { name: 'grpo', words: /subtracts 0.5 and divides by 0.7071, which is the advantage 0.7071/ },
    { name: 'rloo', words: /subtracts 0, which is the advantage 1/ },
    { name: 'reinforce++', words: /its 2 tokens have a mean reinforce\+\+ value of 1/ },
  ])('it explains $name', ({ name, words }) => {
    expect(explainAdvantage(estimateAdvantages(name, batch), 0).words).toMatch(words)
  })

  test('it explains a group of equal rewards under grpo', () => {
    expect(explainAdvantage(estimateAdvantages('grpo', batch), 2).words).toMatch(/equal rewards give 0/)
  })

  test.for([6, -1, 0.5])('there is no response %s', response => {
    expect(() => explainAdvantage(result, response)).toThrow(expect.objectContaining({ code: 'DRPO_RESPONSE_UNKNOWN' }))
  })

  test('it needs the stages', () => {
    const fast = estimateAdvantages('drpo', batch, {}, { stages: false })
    expect(() => explainAdvantage(fast, 0)).toThrow(expect.objectContaining({ code: 'DRPO_STAGES_MISSING' }))
  })
})

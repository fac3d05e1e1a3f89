import { describe, expect, test } from 'vitest'
import { largestError } from '../test/largest-error.ts'
import { estimateAdvantages } from './advantage-estimators.ts'

const batch = {
  rewards: [0, 1, 4, 4, 1],
  questionIds: ['a', 'a', 'b', 'b', 'a'],
  domains: ['ecg', 'ecg', 'mri', 'mri', 'ecg'],
}

describe('grpo', () => {
  test('it compares the responses of a question, whatever their place in the batch', () => {
    const { advantages } = estimateAdvantages('grpo', batch, { epsilon: 0 })
    const third = 1 / Math.sqrt(3)
    expect(largestError(advantages as Float64Array, [-2 * third, third, 0, 0, third])).toBeLessThan(1e-12)
  })
})

import { drpoAdvantages } from '@qoq-med/core-drpo'
import { describe, expect, test } from 'vitest'
import { drpoHazards } from './drpo-hazards.ts'
import type { ScoredRollout } from './rollout.ts'
import { stepHazards } from './step-hazards.ts'

const rollouts = (count: number, tokens: number): ScoredRollout[] =>
  Array.from(
    { length: count },
    () => ({ completion: { tokenIds: new Int32Array(tokens) } }) as unknown as ScoredRollout,
  ) // what is read

describe('drpoHazards', () => {
  test('counts clusters of one question, and questions that T = ε blows up', () => {
    const batch = {
      rewards: [1, 0.5, 1, 0.5, -0.5, -0.1, 0, 0],
      questionIds: [0, 0, 1, 1, 2, 2, 3, 3],
      domains: ['ecg', 'ecg', 'ecg', 'ecg', 'mri', 'mri', 'ct', 'ct'],
    }
    const result = drpoAdvantages(batch)
    // ecg: two equal vectors in one cluster; mri and ct: one question each. ct is constant: T = ε does no harm there.
    expect(drpoHazards(result, rollouts(8, 3), 0)).toEqual({
      singletonClusters: 0.5,
      nonPositiveMeans: 0.25,
      noisyDamping: 0,
    })
    const floored = drpoAdvantages(batch, { temperatureFloor: 0.1 })
    expect(drpoHazards(floored, rollouts(8, 3), 0)).toMatchObject({ nonPositiveMeans: 0 })
  })

  test('tells a KL of two engines from one of a policy that moved', () => {
    const batch = {
      rewards: [1, 0, 0.5, 0.2, 0.9, 0.1],
      questionIds: [0, 0, 1, 1, 2, 2],
      domains: ['ecg', 'ecg', 'ecg', 'ecg', 'ecg', 'ecg'],
      // 10 tokens that differ by 0.01: 10 · 0.01² / 2 per response.
      kl: [5e-4, 5e-4, 5e-4, 5e-4, 5e-4, 5e-4],
    }
    const result = drpoAdvantages(batch)
    const share = drpoHazards(result, rollouts(6, 10), 0.01)!.noisyDamping
    expect(share).toBeCloseTo(0.5, 12) // the responses above their question's mean
    expect(drpoHazards(result, rollouts(6, 10), 0.005)!.noisyDamping).toBe(0)
  })

  test('is silent about other estimators', () => {
    expect(drpoHazards({ stages: { type: 'grpo' } } as never, [], 0)).toBeUndefined()
  })
})

describe('stepHazards', () => {
  test('warns above a limit, with the share and what to do', () => {
    expect(stepHazards({ constantGroups: 0.5, truncated: 0.25, unparseable: 0.2, singletonClusters: 0.1 })).toEqual([])
    const [hazard] = stepHazards({ constantGroups: 0.75 })
    expect(hazard).toMatchObject({ metric: 'constantGroups', share: 0.75 })
    expect(hazard!.warning).toMatch(/^75 % of the groups have equal rewards .*\. Sample more answers/)
    expect(stepHazards({ nonPositiveMeans: 0.001 })[0]!.warning).toMatch(/^<1 % /)
  })
})

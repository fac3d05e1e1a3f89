import { describe, expect, test } from 'vitest'
import { drpoAdvantages } from './drpo.ts'

/** Four questions of two answers: `mri` earns less than nothing on average, though its answers differ. */
const batch = {
  rewards: [1, 0.5, 0.8, 0.4, -0.5, -0.1, -0.4, 0.2],
  questionIds: [0, 0, 1, 1, 2, 2, 3, 3],
  domains: ['ecg', 'ecg', 'ecg', 'ecg', 'mri', 'mri', 'mri', 'mri'],
}

const largest = (values: ArrayLike<number>, from: number, to: number): number =>
  Math.max(...Array.from(values).slice(from, to).map(Math.abs))

describe('a domain whose mean reward is not positive', () => {
  test('swamps the batch as eq. 2 is printed: T = ε', () => {
    const { advantages, stages } = drpoAdvantages(batch)
    expect(stages!.domains.map(({ temperature }) => temperature)[1]).toBe(1e-6)
    expect(largest(advantages, 0, 4) / largest(advantages, 4, 8)).toBeLessThan(1e-6)
  })

  test('is divided by the floor where there is one', () => {
    const { advantages, stages } = drpoAdvantages(batch, { temperatureFloor: 0.5 })
    // √2 · .675 is above the floor, √2 · −.2 below it.
    expect(stages!.domains.map(({ temperature }) => temperature)).toEqual([expect.closeTo(Math.SQRT2 * 0.675, 12), 0.5])
    for (const { clusters } of stages!.domains)
      for (const { temperature } of clusters) expect(temperature).toBeGreaterThanOrEqual(0.5)
    expect(largest(advantages, 0, 4) / largest(advantages, 4, 8)).toBeGreaterThan(0.1)
  })

  test('is refused where that is asked for, unless its answers are all alike', () => {
    const refuse = { nonPositiveMean: 'refuse' } as const
    expect(() => drpoAdvantages(batch, refuse)).toThrow(
      expect.objectContaining({ code: 'DRPO_NON_POSITIVE_MEAN', message: expect.stringMatching(/^A domain mri has/) }),
    )
    const alike = { ...batch, rewards: [1, 0.5, 0.8, 0.4, 0, 0, 0, 0] }
    expect([...drpoAdvantages(alike, refuse).advantages].slice(4)).toEqual([0, 0, 0, 0])
    const cluster = { ...batch, rewards: [1, 0.5, 0.8, 0.4, 1, 1, -0.5, 0.2] }
    expect(() => drpoAdvantages(cluster, refuse)).toThrow(
      expect.objectContaining({ message: expect.stringMatching(/^A cluster of domain mri has/) }),
    )
  })
})

import { describe, expect, test } from 'vitest'
import { drpoAdvantages } from './drpo.ts'
import { parseDrpoHistory } from './drpo-history.ts'

const batch = (rewards: number[], domain = 'ecg') => ({
  rewards,
  questionIds: rewards.map((_, response) => `q${response >> 1}`),
  domains: rewards.map(() => domain),
})

describe('history: "running"', () => {
  const running = { history: 'running' } as const

  test('it counts the questions of all batches, survives JSON and leaves the given state alone', () => {
    const first = drpoAdvantages(batch([0, 1, 0.5, 1]), running)
    const state = JSON.parse(JSON.stringify(first.state)) as unknown
    const before = JSON.stringify(state)
    const second = drpoAdvantages(batch([0, 1]), running, { state })
    expect(second.stages!.domains[0]!.count).toBe(3)
    expect(second.state).toEqual({
      type: 'drpo-history',
      domains: [{ domain: 'ecg', groupSize: 2, vectors: [0, 1, 0.5, 1], counts: [2, 1] }],
    })
    expect(JSON.stringify(state)).toBe(before)
  })

  test('it keeps domains that a batch does not have', () => {
    const { state } = drpoAdvantages(batch([0, 1]), running)
    const next = drpoAdvantages(batch([0, 1], '__proto__'), running, { state })
    expect(next.state!.domains.map(({ domain }) => domain)).toEqual(['ecg', '__proto__'])
  })

  test('without it there is no state, and a given one is not looked at', () => {
    expect(drpoAdvantages(batch([0, 1]), {}, { state: 'anything' }).state).toBeUndefined()
  })

  test.for([
    { name: 'a number', state: 3, reason: /type drpo-history/ },
    { name: 'another type', state: { type: 'x', domains: [] }, reason: /type drpo-history/ },
    { name: 'a nameless domain', state: { type: 'drpo-history', domains: [{}] }, reason: /has no name/ },
    { name: 'no domain', state: { type: 'drpo-history', domains: [null] }, reason: /has no name/ },
    {
      name: 'a NaN',
      state: { type: 'drpo-history', domains: [{ domain: 'ecg', groupSize: 1, vectors: [Number.NaN], counts: [1] }] },
      reason: /ecg lacks/,
    },
    {
      name: 'missing rewards',
      state: { type: 'drpo-history', domains: [{ domain: 'ecg', groupSize: 2, vectors: [1], counts: [1] }] },
      reason: /1 rewards for 1 vectors of 2/,
    },
    {
      name: 'another group size',
      state: { type: 'drpo-history', domains: [{ domain: 'ecg', groupSize: 3, vectors: [1, 1, 1], counts: [1] }] },
      reason: /groups of 3, and this batch has groups of 2/,
    },
  ])('it refuses $name', ({ state, reason }) => {
    expect(() => drpoAdvantages(batch([0, 1]), running, { state })).toThrow(
      expect.objectContaining({ code: 'DRPO_STATE_INVALID', message: expect.stringMatching(reason) }),
    )
  })

  test('null and undefined are the empty history', () => {
    expect(parseDrpoHistory(null)).toEqual(parseDrpoHistory(undefined))
  })
})

import { describe, expect, test } from 'vitest'
import { drawRewardBatch, rewardKinds } from '../test/reward-batches.ts'
import { largestError } from '../test/largest-error.ts'
import { drpoAdvantages, drpoRecommended } from './drpo.ts'
import { recommendedOptions } from './drpo-options.ts'

/** Many easy questions of one domain, few hard ones of another. */
const questions = [
  ...Array.from({ length: 12 }, (_row, i) => ({ domain: 'ct', rewards: [1, 0.9, i % 3 === 0 ? 0 : 1, 1] })),
  ...Array.from({ length: 3 }, (_row, i) => ({ domain: 'us', rewards: [0, 0.1, 0, i === 0 ? 1 : 0] })),
]
const batch = {
  rewards: questions.flatMap(({ rewards }) => rewards),
  questionIds: questions.flatMap(({ rewards }, index) => rewards.map(() => index)),
  domains: questions.flatMap(({ domain, rewards }) => rewards.map(() => domain)),
  kl: questions.flatMap(({ rewards }, index) => rewards.map((_reward, i) => 0.01 * index + 0.02 * i)),
}

/** Root mean square of a domain's values that are not zero. */
function rmsOf(values: Float64Array, domain: string): number {
  const own = [...values].filter((value, i) => batch.domains[i] === domain && value !== 0)
  return Math.sqrt(own.reduce((sum, value) => sum + value ** 2, 0) / own.length)
}

describe('domainRms: equal', () => {
  test('every domain has the same root mean square, and without damping so do its advantages', () => {
    const { stages, advantages } = drpoAdvantages(batch, { domainRms: 'equal', noKl: true })
    expect(rmsOf(stages!.scaled, 'ct')).toBeCloseTo(1, 12)
    expect(rmsOf(stages!.scaled, 'us')).toBeCloseTo(1, 12)
    expect(rmsOf(advantages, 'ct')).toBeCloseTo(rmsOf(advantages, 'us'), 12)
  })

  test('the domain temperature cancels; clusters still shift weight inside a domain', () => {
    const options = { domainRms: 'equal', noKl: true } as const
    const { stages } = drpoAdvantages(batch, options)
    const twice = drpoAdvantages(
      { ...batch, rewards: batch.rewards.map((r, i) => (batch.domains[i] === 'us' ? r : r)) },
      options,
    )
    expect(largestError(twice.advantages, drpoAdvantages(batch, options).advantages)).toBe(0)
    const [easy, hard] = [1, 0].map(question => stages!.temperatures[question]!)
    expect(hard).not.toBe(easy)
  })

  test('a domain of equal rewards stays at zero', () => {
    const { advantages } = drpoAdvantages(
      { rewards: [1, 1, 1, 0], questionIds: [1, 1, 2, 2], domains: ['a', 'a', 'b', 'b'] },
      { domainRms: 'equal' },
    )
    expect([...advantages.subarray(0, 2)]).toEqual([0, 0])
    expect(advantages[2]).toBeGreaterThan(0)
  })

  test('the mean of every question stays zero, whatever the magnitude of rewards', () => {
    for (const scale of [1, 1e-120, 1e120]) {
      const { advantages } = drpoAdvantages(
        { ...batch, rewards: batch.rewards.map(reward => reward * scale) },
        { ...recommendedOptions, epsilon: 1e-100 },
      )
      expect(advantages.every(value => Number.isFinite(value))).toBe(true)
      for (let q = 0; q < questions.length; q++)
        expect(advantages.subarray(4 * q, 4 * q + 4).reduce((sum, value) => sum + value, 0)).toBeCloseTo(0, 9)
    }
  })
})

describe('weightClip', () => {
  test('keeps weights within the factor of the median of their domain', () => {
    const free = drpoAdvantages(batch, { noKl: true }).stages!
    const clipped = drpoAdvantages(batch, { noKl: true, weightClip: 1.2 }).stages!
    for (const { questions: own } of clipped.domains) {
      const weights = Array.from(own, question => 1 / clipped.temperatures[question]!)
      const median = weights.toSorted((a, b) => a - b)[Math.floor(weights.length / 2)]!
      expect(Math.max(...weights) / median).toBeLessThan(1.2001)
      expect(median / Math.min(...weights)).toBeLessThan(1.2001)
    }
    expect(clipped.temperatures).not.toEqual(free.temperatures)
    expect(drpoAdvantages(batch, { noKl: true, weightClip: 1e6 }).stages!.temperatures).toEqual(free.temperatures)
  })
})

describe('a history of about so many questions', () => {
  const window = { history: 'running', historyQuestions: 60 } as const

  test('spans that many, drops the oldest batches, and survives JSON', () => {
    let state: unknown
    const counts: number[] = []
    for (let step = 0; step < 8; step++) {
      const result = drpoAdvantages(batch, window, { state })
      state = JSON.parse(JSON.stringify(result.state))
      counts.push(result.stages!.domains.reduce((sum, { count }) => sum + count, 0))
    }
    expect(counts).toEqual([15, 30, 45, 60, 60, 60, 60, 60])
  })

  test('spans two batches at least', () => {
    const { state } = drpoAdvantages(batch, { history: 'running', historyQuestions: 1 })
    const second = drpoAdvantages(batch, { history: 'running', historyQuestions: 1 }, { state })
    expect(second.stages!.domains[0]!.count).toBe(24)
    expect(second.state!.batches).toHaveLength(1)
  })

  test('while nothing is dropped it is the running history', () => {
    const wide = { history: 'running', historyQuestions: 1000 } as const
    const first = drpoAdvantages(batch, wide)
    const running = drpoAdvantages(batch, { history: 'running' })
    const next = { ...batch, rewards: batch.rewards.toReversed() }
    const a = drpoAdvantages(next, wide, { state: first.state })
    const b = drpoAdvantages(next, { history: 'running' }, { state: running.state })
    expect(a.advantages).toEqual(b.advantages)
  })

  test('a state that is none is refused', () => {
    for (const state of [
      { type: 'drpo-history', domains: [], batches: 3 },
      { type: 'drpo-history', domains: [], batches: [{ questions: 1 }] },
    ])
      expect(() => drpoAdvantages(batch, window, { state })).toThrow(
        expect.objectContaining({ code: 'DRPO_STATE_INVALID' }),
      )
  })
})

describe('three runs of eight candidates', () => {
  const thorough = { restarts: 10, candidates: 0 } as const

  test.for(rewardKinds)(
    'cluster a window of %s rewards as ten usual runs do, within 1 % of inertia on average',
    kind => {
      const excesses: number[] = []
      let otherK = 0
      for (let seed = 0; seed < 12; seed += 2) {
        const step = drawRewardBatch(kind, 128, seed)
        const { state } = drpoRecommended.estimate(drawRewardBatch(kind, 128, seed + 1))
        const want = drpoRecommended.estimate(step, thorough, { state }).stages!
        drpoRecommended.estimate(step, {}, { state }).stages!.domains.forEach(({ k, inertias }, index) => {
          const domain = want.domains[index]!
          const least = domain.inertias[k - 1] ?? 0
          if (k !== domain.k) otherK += 1
          else if (least > 1e-9) excesses.push(inertias[k - 1]! / least - 1) // 0 where every vector is a cluster
        })
      }
      expect(excesses.length).toBeGreaterThan(20)
      expect(otherK / excesses.length).toBeLessThan(0.05)
      expect(excesses.reduce((sum, excess) => sum + excess, 0) / excesses.length).toBeLessThan(0.01)
    },
  )

  test('with as many runs, more candidates find better clusters on average', () => {
    const batches = Array.from({ length: 8 }, (_, seed) => drawRewardBatch('paper', 512, seed))
    const inertia = (candidates: number): number =>
      batches
        .flatMap(rewards => drpoAdvantages(rewards, { restarts: 3, candidates }).stages!.domains)
        .reduce((sum, { k, inertias }) => sum + inertias[k - 1]!, 0)
    expect(inertia(8)).toBeLessThan(inertia(1))
  })
})

test('drpo-recommended is DRPO with the recommended options', () => {
  const own = drpoRecommended.estimate(batch)
  const given = drpoAdvantages(batch, recommendedOptions)
  expect(own.advantages).toEqual(given.advantages)
  expect(own.stages!.options).toMatchObject(recommendedOptions)
})

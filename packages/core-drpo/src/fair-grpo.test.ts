import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { largestError } from '../test/largest-error.ts'
import { estimateAdvantages } from './advantage-estimators.ts'
import { clusterAlignment } from './cluster-alignment.ts'
import { explainAdvantage } from './explain-advantage.ts'
import { fairGrpo, fairGrpoNd } from './fair-grpo.ts'
import { fairReleaseNdOptions, fairReleaseOptions } from './fair-grpo-options.ts'
import { groupDro } from './group-dro.ts'
import type { RewardBatch } from './reward-batch.ts'

interface Variant {
  readonly mu: number[]
  readonly sigma: number[]
  readonly s: number[][]
  readonly domains: {
    domain: string
    N: number
    mean: number
    T: number
    groups: { group: string; questions: number[]; N: number; mean: number; T: number }[]
  }[]
  readonly factor: number[]
  readonly s_scaled: number[][]
  readonly batch_std: number
  readonly advantages: number[][]
  readonly clustering_may_be_ambiguous: boolean
}

interface Case {
  readonly name: string
  readonly question_ids: string[]
  readonly domains: string[]
  readonly demographics: string[]
  readonly rewards: number[][]
  readonly alignment?: Record<string, { ari: number; nmi: number }>
  readonly paper?: Variant
  readonly release?: Variant
  readonly paper_nd?: Variant
  readonly release_nd?: Variant
}

interface Oracle {
  readonly cases: Case[]
  readonly reference_history: { fair_grpo: (Case & { advantages: number[][]; factor: number[] })[] }
  readonly refused: { name: string; domains: string[]; demographics: string[]; rewards: (number | 'NaN')[][] }[]
  readonly group_dro: {
    eta: number
    steps: { demographics: string[]; rewards: number[][]; weights: Record<string, number>; advantages: number[][] }[]
  }[]
}

/** Every stage in float64, and the public function (DDVD233/qoq_med3 d50c24d) beside it; seed 5519. */
const oracle: Oracle = JSON.parse(
  gunzipSync(readFileSync(new URL('../fixtures/fair_grpo.json.gz', import.meta.url))).toString(),
)

function batchOf({ rewards, domains, demographics }: Pick<Case, 'rewards' | 'domains' | 'demographics'>): RewardBatch {
  const each = <Value>(value: (question: number) => Value): Value[] =>
    rewards.flatMap((row, question) => row.map(() => value(question)))
  return {
    rewards: rewards.flat(),
    questionIds: each(question => question),
    domains: each(question => domains[question]!),
    demographics: each(question => demographics[question]!),
  }
}

const { history: _running, ...release } = fairReleaseOptions
const { history: _runningNd, ...releaseNd } = fairReleaseNdOptions
const variants = oracle.cases.flatMap(item =>
  (
    [
      ['paper', fairGrpo, {}],
      ['release', fairGrpo, release],
      ['paper_nd', fairGrpoNd, {}],
      ['release_nd', fairGrpoNd, releaseNd],
    ] as const
  ).flatMap(([variant, estimator, options]) => {
    const want = item[variant]
    return want ? [{ name: `${item.name}, ${variant}`, item, want, estimator, options }] : []
  }),
)

/** Where the clustering is ambiguous, its stages are compared no further than the normalisation. */
const certain = variants.filter(({ want }) => !want.clustering_may_be_ambiguous)

describe('against every stage in float64', () => {
  test('all but a few clusterings are certain', () => {
    expect(variants.length).toBe(54)
    expect(certain.length).toBeGreaterThanOrEqual(48)
  })

  test.for(certain)('$name', ({ item, want, estimator, options }) => {
    const { stages, advantages } = estimator.estimate(batchOf(item), options)
    expect(largestError(stages!.means, want.mu)).toBeLessThan(1e-9)
    expect(largestError(stages!.normalized, want.s.flat())).toBeLessThan(1e-9)
    for (const domain of want.domains) {
      const own = stages!.domains.find(one => one.domain === domain.domain)!
      expect(own).toMatchObject({
        count: domain.N,
        mean: expect.closeTo(domain.mean, 9),
        temperature: expect.closeTo(domain.T, 9),
      })
      for (const group of domain.groups) {
        const same = own.groups.find(({ questions }) => questions.includes(group.questions[0]!))!
        expect([...same.questions]).toEqual(group.questions)
        expect(same).toMatchObject({
          count: group.N,
          mean: expect.closeTo(group.mean, 9),
          temperature: expect.closeTo(group.T, 9),
        })
      }
    }
    expect(largestError(stages!.divisors, want.factor)).toBeLessThan(1e-9)
    expect(largestError(stages!.scaled, want.s_scaled.flat())).toBeLessThan(1e-9)
    expect(Math.abs(stages!.batchDeviation - want.batch_std)).toBeLessThan(1e-9 * Math.max(1, want.batch_std))
    expect(largestError(advantages, want.advantages.flat())).toBeLessThan(1e-9)
  })

  test('four steps with a running history', () => {
    let state: unknown
    for (const step of oracle.reference_history.fair_grpo) {
      const result = fairGrpo.estimate(batchOf(step), fairReleaseOptions, {
        state: JSON.parse(JSON.stringify(state ?? null)),
      })
      expect(largestError(result.stages!.divisors, step.factor)).toBeLessThan(1e-9)
      expect(largestError(result.advantages, step.advantages.flat())).toBeLessThan(1e-9)
      state = result.state
    }
  })

  const aligned = oracle.cases.flatMap(item =>
    item.alignment && item.paper_nd ? [{ ...item, alignment: item.alignment }] : [],
  )
  test.for(aligned)('clusters beside labels: $name', item => {
    const { stages } = fairGrpoNd.estimate(batchOf(item))
    const labels = item.demographics.map(label => (label === 'UNK' ? undefined : label))
    for (const { domain, adjustedRand, mutualInformation } of clusterAlignment(stages!, labels)) {
      expect(adjustedRand).toBeCloseTo(item.alignment[domain]!.ari, 9)
      expect(mutualInformation).toBeCloseTo(item.alignment[domain]!.nmi, 9)
    }
  })

  test.for(oracle.group_dro.map((run, index) => ({ ...run, index })))('group DRO, run $index', ({ eta, steps }) => {
    let state: unknown
    for (const step of steps) {
      const batch = batchOf({ ...step, domains: step.demographics.map(() => 'a') })
      const result = groupDro.estimate(batch, { eta }, { state })
      for (const [group, weight] of Object.entries(step.weights))
        expect(result.state.weights[group]).toBeCloseTo(weight, 9)
      expect(largestError(result.advantages, step.advantages.flat())).toBeLessThan(1e-9)
      state = JSON.parse(JSON.stringify(result.state))
    }
  })
})

describe('what is refused', () => {
  test.for([
    ['negative_group_mean', 'DRPO_REWARD_NEGATIVE'],
    ['one_rollout', 'DRPO_GROUP_TOO_SMALL'],
    ['not_a_number', 'DRPO_VALUE_NOT_FINITE'],
  ] as const)('%s', ([name, code]) => {
    const item = oracle.refused.find(one => one.name === name)!
    const rewards = item.rewards.map(row => row.map(Number))
    expect(() => fairGrpo.estimate(batchOf({ ...item, rewards }))).toThrow(expect.objectContaining({ code }))
  })

  test('two groups of one question, a foreign state, a state of other group sizes', () => {
    const batch = { rewards: [1, 0], questionIds: [1, 1], domains: ['a', 'a'], demographics: ['M', 'F'] }
    expect(() => fairGrpo.estimate(batch)).toThrow(expect.objectContaining({ code: 'DRPO_DEMOGRAPHICS_CONFLICT' }))
    const one = { ...batch, demographics: ['M', 'M'] }
    const state = fairGrpo.estimate(one, fairReleaseOptions).state
    const three = { rewards: [1, 0, 0], questionIds: [1, 1, 1], domains: ['a', 'a', 'a'] }
    for (const bad of [state, { type: 'x' }, { type: 'fair-grpo-history', domains: [{}] }])
      expect(() => fairGrpo.estimate(three, fairReleaseOptions, { state: bad })).toThrow(
        expect.objectContaining({ code: 'DRPO_STATE_INVALID' }),
      )
    expect(() => groupDro.estimate(one, {}, { state: 3 })).toThrow(
      expect.objectContaining({ code: 'DRPO_STATE_INVALID' }),
    )
  })
})

/** Questions as rows. */
function batchOfRows(drawn: readonly { domain: string; group: string; rewards: number[] }[]): RewardBatch {
  return batchOf({
    rewards: drawn.map(row => row.rewards),
    domains: drawn.map(row => row.domain),
    demographics: drawn.map(row => row.group),
  })
}

describe('properties', () => {
  const question = fc.record({
    domain: fc.constantFrom('ecg', 'ct'),
    group: fc.constantFrom('M', 'F', 'UNK'),
    rewards: fc.array(
      fc.integer({ min: 0, max: 20 }).map(part => part / 20),
      { minLength: 3, maxLength: 3 },
    ),
  })
  const rows = fc.array(question, { minLength: 1, maxLength: 12 })

  test('the mean of every question is zero, nothing is NaN, and the batch has unit deviation', () => {
    fc.assert(
      fc.property(rows, drawn => {
        const { advantages } = fairGrpo.estimate(batchOfRows(drawn))
        expect(advantages.every(value => Number.isFinite(value))).toBe(true)
        for (let q = 0; q < drawn.length; q++) {
          const own = [...advantages.subarray(3 * q, 3 * q + 3)]
          expect(own.reduce((sum, value) => sum + value, 0)).toBeCloseTo(0, 6)
        }
      }),
    )
  })

  test('the order of questions and the names of groups do not matter', () => {
    fc.assert(
      fc.property(rows, drawn => {
        const plain = fairGrpo.estimate(batchOfRows(drawn)).advantages
        const turned = fairGrpo.estimate(batchOfRows(drawn.toReversed())).advantages
        const back = drawn.flatMap((_row, q) => [
          ...turned.subarray(3 * (drawn.length - 1 - q), 3 * (drawn.length - q)),
        ])
        expect(largestError(Float64Array.from(back), plain)).toBeLessThan(1e-9)
        const renamed = drawn.map(row => ({
          ...row,
          group: row.group === 'UNK' ? 'UNK' : row.group === 'M' ? 'zz' : 'aa',
        }))
        expect(largestError(fairGrpo.estimate(batchOfRows(renamed)).advantages, plain)).toBeLessThan(1e-9)
      }),
    )
  })

  test('a group of a quarter the size weighs twice as much at equal difficulty', () => {
    const rewards = Array.from({ length: 20 }, () => [1, 0])
    const demographics = rewards.map((_row, index) => (index < 4 ? 'F' : 'M'))
    const { divisors } = fairGrpo.estimate(batchOf({ rewards, domains: rewards.map(() => 'a'), demographics })).stages!
    expect(divisors[19]! / divisors[0]!).toBeCloseTo(2, 12)
  })

  test('one domain and one group give GRPO up to a scale', () => {
    const rewards = [
      [1, 0, 0.5],
      [0.2, 0.2, 0.9],
      [1, 1, 1],
    ]
    const batch = batchOf({ rewards, domains: ['a', 'a', 'a'], demographics: ['M', 'M', 'M'] })
    const fair = fairGrpo.estimate(batch).advantages
    const plain = estimateAdvantages('grpo', batch).advantages as Float64Array // one per response
    const scale = fair[0]! / plain[0]!
    expect(
      largestError(
        fair.map(value => value / scale),
        plain,
      ),
    ).toBeLessThan(1e-9)
  })

  test('labels are read by nobody who does not say so', () => {
    const rewards = Array.from({ length: 6 }, (_row, index) => [1, index % 3 === 0 ? 1 : 0])
    const one = batchOf({ rewards, domains: rewards.map(() => 'a'), demographics: ['M', 'F', 'M', 'F', 'M', 'F'] })
    const { demographics: _labels, ...without } = one
    expect(fairGrpoNd.estimate(one).advantages).toEqual(fairGrpoNd.estimate(without).advantages)
  })
})

test('says in words what a response was divided by', () => {
  const batch = batchOf({
    rewards: [
      [1, 0],
      [0, 1],
    ],
    domains: ['ecg', 'ecg'],
    demographics: ['M,A3', 'UNK'],
  })
  expect(explainAdvantage(fairGrpo.estimate(batch), 0).words).toContain('group M,A3 has 1 question of mean reward 0.5')
  expect(explainAdvantage(fairGrpo.estimate(batch), 2).words).toContain('group cluster 1 has 1 question')
})

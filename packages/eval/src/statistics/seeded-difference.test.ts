import { describe, expect, test } from 'vitest'
import type { MetricRow } from '../metrics/outcomes.ts'
import { pairedDifferences } from './metric-intervals.ts'
import { seededDifference } from './seeded-difference.ts'
import { seededRandom } from './seeded-random.ts'

const labels = { ecg: ['a', 'b'] }

/** Answers of 200 patients of which a share is right. */
function rows(rightShare: number, seed: number): MetricRow[] {
  const random = seededRandom(seed)
  return Array.from({ length: 200 }, (_, i) => {
    const truth = i % 2 === 0 ? 'a' : 'b'
    const isRight = random() < rightShare
    const predicted = [isRight ? truth : truth === 'a' ? 'b' : 'a']
    return { dataset: 'ecg', domain: 'ecg', truth: [truth], predicted, patientId: String(i) }
  })
}

describe('seededDifference', () => {
  test('of one seed is the paired difference', () => {
    const [first, second] = [rows(0.6, 1), rows(0.7, 2)]
    const { observed, lower, upper } = pairedDifferences(first, second, labels).overall.f1
    expect(seededDifference([first], [second], labels)).toMatchObject({ observed, lower, upper })
  })

  test('of a way with itself is nothing', () => {
    const runs = [rows(0.6, 1), rows(0.6, 2)]
    expect(seededDifference(runs, runs, labels)).toMatchObject({ observed: 0, lower: 0, upper: 0, perSeed: [0, 0] })
  })

  test('its interval holds what seeds add: seeds that disagree widen it, seeds that agree do not', () => {
    const base = [1, 2, 3, 4, 5].map(seed => rows(0.6, seed))
    const width = (second: MetricRow[][]): number => {
      const { lower, upper } = seededDifference(base, second, labels)
      return upper - lower
    }
    const agreeing = width([0.7, 0.7, 0.7, 0.7, 0.7].map((share, i) => rows(share, 10 + i)))
    const disagreeing = width([0.5, 0.6, 0.7, 0.8, 0.9].map((share, i) => rows(share, 10 + i)))
    expect(disagreeing).toBeGreaterThan(1.5 * agreeing)
  })

  test('covers the truth in about 95 of 100 repetitions', () => {
    // Both ways are right with the same share, and so are all seeds: the true difference is 0.
    const repetitions = 100
    let covered = 0
    for (let i = 0; i < repetitions; i++) {
      const ways = [0, 1].map(way => Array.from({ length: 5 }, (_, s) => rows(0.6, 1000 * i + 10 * s + way + 7)))
      const { lower, upper } = seededDifference(ways[0]!, ways[1]!, labels, { resamples: 300, seed: i })
      covered += lower <= 0 && upper >= 0 ? 1 : 0
    }
    expect(covered).toBeGreaterThanOrEqual(88)
  })

  test('refuses other seeds and other rows', () => {
    expect(() => seededDifference([rows(0.5, 1)], [], labels)).toThrow('seeds of the two ways')
    expect(() => seededDifference([rows(0.5, 1)], [rows(0.5, 1).slice(1)], labels)).toThrow('rows')
  })
})

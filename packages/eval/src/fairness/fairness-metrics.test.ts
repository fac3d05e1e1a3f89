import { describe, expect, test } from 'vitest'
import { fairnessDifferences, fairnessMetrics, seededRows, type SubgroupRow } from './fairness-rows.testing.ts'

const labels = { derm: ['a', 'b'] }
const fast = { resamples: 200, shuffles: 50 }

describe('fairnessMetrics', () => {
  test('finds a group that is served worse, with an interval above the gap of chance', () => {
    const { datasets } = fairnessMetrics(seededRows({ accuracyOfF: 0.6, accuracyOfM: 0.9 }), labels, fast)
    const sex = datasets['derm']!.attributes['sex']!
    expect(sex.worst).toMatchObject({ accuracy: 'F', tpr: 'F', fdr: 'F' })
    expect(sex.gap!.tpr).toBeGreaterThan(0.2)
    expect(sex.gapIntervals!.tpr.lower).toBeGreaterThan(sex.chanceGap!.tpr)
  })

  test('a gap of equal groups is not 0 by chance, and lies in what shuffled labels give', () => {
    const { datasets } = fairnessMetrics(seededRows({ accuracyOfF: 0.75, accuracyOfM: 0.75 }), labels, fast)
    const sex = datasets['derm']!.attributes['sex']!
    expect(sex.chanceGap!.f1).toBeGreaterThan(0.005)
    expect(sex.gap!.f1).toBeLessThan(4 * sex.chanceGap!.f1)
  })

  test('groups of few patients are shown, named and not ranked; unknown is a group', () => {
    const rows: SubgroupRow[] = seededRows({ accuracyOfF: 0.5, accuracyOfM: 0.9 }).map((row, index) => {
      const { groups: _groups, ...rest } = row
      return index < 15 ? rest : row
    })
    const { groups, gap } = fairnessMetrics(rows, labels, fast).datasets['derm']!.attributes['sex']!
    expect(Object.keys(groups)).toEqual(['F', 'M', 'unknown'])
    expect(groups['unknown']).toMatchObject({ isRanked: false, patients: 15 })
    expect(gap).toBeDefined()
  })

  test('one group has no gap', () => {
    const rows = seededRows({ accuracyOfF: 0.5, accuracyOfM: 0.9 }).filter(({ groups }) => groups?.['sex'] === 'F')
    const { datasets, overall } = fairnessMetrics(rows, labels, fast)
    expect(datasets['derm']!.attributes['sex']).not.toHaveProperty('gap')
    expect(overall).toBeUndefined()
  })

  test('a group that is never told a label looks fair, and says so', () => {
    const rows = seededRows({ accuracyOfF: 0.5, accuracyOfM: 0.9 }).map(row =>
      row.groups?.['sex'] === 'F' ? { ...row, predicted: [] } : row,
    )
    const { groups } = fairnessMetrics(rows, labels, fast).datasets['derm']!.attributes['sex']!
    expect(groups['F']).toMatchObject({ fdr: 0, neverPredicted: 1 })
  })
})

describe('fairnessDifferences', () => {
  const unfair = seededRows({ accuracyOfF: 0.55, accuracyOfM: 0.95 })
  const fair = seededRows({ accuracyOfF: 0.9, accuracyOfM: 0.9, seed: 5 })

  test('a fairer system has smaller gaps, with corrected p-values', () => {
    const all = fairnessDifferences(unfair, fair, labels, fast)
    const tpr = all.find(({ measure }) => measure === 'tpr')!
    expect(tpr.difference).toBeLessThan(-0.2)
    expect(tpr.upper).toBeLessThan(0)
    expect(tpr.pValue).toBeLessThan(0.02)
    expect(all.every(({ pValue, adjustedP }) => adjustedP >= pValue)).toBe(true)
  })

  test('a system beside itself differs in nothing', () => {
    for (const one of fairnessDifferences(unfair, unfair, labels, fast))
      expect(one).toMatchObject({ difference: 0, lower: 0, upper: 0, pValue: 1 })
  })

  test('other rows are refused', () => {
    expect(() => fairnessDifferences(unfair, fair.slice(1), labels)).toThrow(
      expect.objectContaining({ code: 'EVAL_LENGTH_MISMATCH' }),
    )
  })
})

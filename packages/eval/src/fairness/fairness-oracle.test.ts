import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import {
  ageGroup,
  fairnessMetrics,
  type GroupMeasures,
  type GroupSpread,
  jointGroup,
  legacyP,
  sexGroup,
  type SubgroupRow,
  tokenOverlap,
} from '../index.ts'
import { groupMeasures } from './group-measures.ts'

type Spread = Record<'mean' | 'gap' | 'std', Record<string, number>>

interface OracleFairness {
  readonly datasets: Record<
    string,
    {
      attributes: Record<string, { groups: Record<string, Record<string, number>> } & Partial<Spread>>
      average: Spread | null
    }
  >
  readonly overall: Spread & Record<string, number>
}

interface Oracle {
  readonly cases: {
    name: string
    records: { dataset: string; truth: string[]; predicted: string[]; sex: string | null; age: number | null }[]
    release_classes_per_group: OracleFairness
    ours_shared_classes: OracleFairness
  }[]
  readonly parametric_p: { cases: { mean1: number; std1: number; mean2: number; std2: number; n: number; p: number }[] }
  readonly jaccard: { truth: string; predicted: string; value: number }[]
}

/** Records with the values of the successor's public evaluation.py, and of one class list (fixtures/README.md). */
const oracle: Oracle = JSON.parse(readFileSync(new URL('../../fixtures/fairness.json', import.meta.url), 'utf8'))

function rowsOf(records: Oracle['cases'][number]['records']): SubgroupRow[] {
  return records.map(({ dataset, truth, predicted, sex, age }) => {
    const groups = { gender: sexGroup(sex ?? undefined), age: ageGroup(age ?? undefined) }
    const known = Object.entries(groups).flatMap(([name, group]) =>
      group === undefined ? [] : [[name, group] as const],
    )
    return { dataset, domain: 'x', truth, predicted, groups: Object.fromEntries(known) }
  })
}

/** Group names of the oracle. */
const oracleNames: Readonly<Record<string, string>> = { M: 'Male', F: 'Female', A1: 'a1', A2: 'a2', A3: 'a3', A4: 'a4' }

function expectMeasures(got: GroupMeasures, want: Record<string, number>): void {
  for (const name of groupMeasures) expect(got[name]).toBeCloseTo(want[name]!, 9)
}

function expectSpread(got: Partial<GroupSpread> | undefined, want: Partial<Spread>): void {
  for (const [part, name] of [
    ['mean', 'mean'],
    ['gap', 'gap'],
    ['deviation', 'std'],
  ] as const)
    expectMeasures(got![part]!, want[name]!)
}

const readings = oracle.cases.flatMap(one => [
  { ...one, classes: 'group' as const, want: one.release_classes_per_group },
  { ...one, classes: 'dataset' as const, want: one.ours_shared_classes },
])

describe.for(readings)('$name, classes of the $classes', ({ records, classes, want }) => {
  const rows = rowsOf(records)
  const names = [...new Set(records.flatMap(({ truth, predicted }) => [...truth, ...predicted]))]
  const labels = Object.fromEntries(Object.keys(want.datasets).map(dataset => [dataset, names]))
  const got = fairnessMetrics(rows, labels, { classes, minPatients: 1, resamples: 0, shuffles: 0 })

  test('every group, mean, gap and deviation', () => {
    for (const [dataset, { attributes }] of Object.entries(want.datasets)) {
      for (const [attribute, one] of Object.entries(attributes)) {
        const own = got.datasets[dataset]?.attributes[attribute]
        for (const [name, group] of Object.entries(own?.groups ?? {})) {
          const wanted = one.groups[oracleNames[name] ?? name]
          if (name === 'unknown') continue // the oracle leaves rows without a group out
          expectMeasures(group, wanted!)
          expect(group.support).toBe(wanted!['n'])
        }
        expect(Object.keys(own?.groups ?? {}).filter(name => name !== 'unknown')).toHaveLength(
          Object.keys(one.groups).length,
        )
        if (one.gap) expectSpread(own, one)
      }
    }
  })

  test('the averages over attributes and datasets, and what is made of them', () => {
    expectSpread(got.overall, want.overall)
    expect(got.overall?.predictiveParityGap).toBeCloseTo(want.overall['predictive_parity_gap']!, 9)
    expect(got.overall?.equalOpportunityDifference).toBeCloseTo(want.overall['equal_opportunity_difference']!, 9)
    expect(got.overall?.fprGap).toBeCloseTo(want.overall['fpr_gap']!, 9)
    expect(got.overall?.accuracyEs).toBeCloseTo(want.overall['accuracy_es']!, 9)
    expect(got.overall?.f1Es).toBeCloseTo(want.overall['f1_es']!, 9)
  })
})

test.for(oracle.parametric_p.cases)(
  'the public p-value in its limit, case %#',
  ({ mean1, std1, mean2, std2, n, p }) => {
    const got = legacyP({ mean: mean1, std: std1 }, { mean: mean2, std: std2 }, n)
    expect(Math.abs(got - p)).toBeLessThan(1e-9)
  },
)

test.for(oracle.jaccard)('token Jaccard of "$predicted" and "$truth"', ({ truth, predicted, value }) => {
  expect(tokenOverlap(predicted, truth).jaccard).toBeCloseTo(value, 9)
})

describe('demographic groups', () => {
  test.for([
    [25, 'A1'],
    [25.5, 'A2'],
    [50, 'A2'],
    [75, 'A3'],
    [75.1, 'A4'],
    [-1, undefined],
    [Number.NaN, undefined],
    [Infinity, undefined],
  ] as const)('age %s is %s', ([age, group]) => expect(ageGroup(age)).toBe(group))

  test('sex by its first letter, joined in order', () => {
    expect([' male', 'F', 'nan', 'UNK', ''].map(sexGroup)).toEqual(['M', 'F', undefined, undefined, undefined])
    expect(jointGroup(['M', 'A3'])).toBe('M,A3')
    expect(jointGroup([undefined, 'A3'])).toBe('A3')
    expect(jointGroup([undefined, 'unknown'])).toBeUndefined()
  })
})

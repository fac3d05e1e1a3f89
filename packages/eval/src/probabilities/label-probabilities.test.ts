import { expect, test } from 'vitest'
import { probabilityMetrics, type ProbabilityRow } from '../index.ts'

const labels = ['MI', 'NORM']
const rows: ProbabilityRow[] = Array.from({ length: 60 }, (_, index) => ({
  dataset: 'ptb',
  truth: [index % 2 === 0 ? 'MI' : 'NORM'],
  // MI is scored higher where it is true, but for every tenth row.
  probabilities: index % 10 === 0 ? [0.2, 0.8] : index % 2 === 0 ? [0.9, 0.1] : [0.3, 0.7],
  patientId: `p${Math.floor(index / 3)}`,
}))

test('ranks and calibrates every label, with intervals over patients', () => {
  const { perLabel, auroc, reliability, support } = probabilityMetrics(rows, labels, { resamples: 200, bins: 4 })
  // 24 of 30 rows with MI score .9, 6 score .2, below the .3 of all others.
  expect(perLabel['MI']?.auroc.value).toBeCloseTo(0.8, 12)
  expect(auroc).toBeCloseTo(0.8, 12)
  expect(perLabel['MI']?.auroc.lower).toBeGreaterThan(0.6)
  expect(perLabel['MI']?.auroc.upper).toBeLessThan(0.96)
  expect(perLabel['NORM']?.support).toBe(30)
  expect(reliability.reduce((sum, { count }) => sum + count, 0)).toBe(120)
  expect(support).toBe(60)
})

function width(own: readonly ProbabilityRow[]): number {
  const { lower, upper } = probabilityMetrics(own, labels, { resamples: 300 }).perLabel['MI']!.auroc
  return upper - lower
}

test('copies of a patient narrow no interval', () => {
  const alone = rows.map((row, index) => ({ ...row, patientId: `p${index}` }))
  const tripled = rows.flatMap((row, index) => [0, 1, 2].map(() => ({ ...row, patientId: `p${index}` })))
  expect(width(tripled)).toBeGreaterThan(0.9 * width(alone)) // three copies of a patient say no more than one
})

test('a label that never occurs has no AUROC, and the mean leaves it out', () => {
  const { perLabel, auroc } = probabilityMetrics(
    rows.map(row => ({ ...row, truth: ['MI'] })),
    labels,
    { resamples: 5 },
  )
  expect(perLabel['NORM']).toMatchObject({ support: 0, auroc: { value: Number.NaN, method: 'none' } })
  expect(auroc).toBeNaN()
})

test('a row without a probability for every label is refused', () => {
  expect(() => probabilityMetrics([{ ...rows[0]!, probabilities: [0.5] }], labels)).toThrow(
    expect.objectContaining({ code: 'EVAL_VALUE_OUT_OF_RANGE' }),
  )
})

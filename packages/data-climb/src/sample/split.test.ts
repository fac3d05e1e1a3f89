import { describe, expect, test } from 'vitest'
import { splitOfPatient } from './split.ts'

const patients = Array.from({ length: 5000 }, (_, i) => `p${i}`)

describe('splitOfPatient', () => {
  test('holds out about a tenth each', () => {
    const splits = patients.map(patient => splitOfPatient('d', patient, { seed: 1 }))
    for (const part of ['valid', 'test'])
      expect(splits.filter(split => split === part).length / 5000).toBeCloseTo(0.1, 1)
  })

  test('depends on dataset, patient and seed alone', () => {
    expect(splitOfPatient('d', 'p7', { seed: 1 })).toBe(splitOfPatient('d', 'p7', { seed: 1 }))
    const differing = patients.filter(
      p => splitOfPatient('d', p, { seed: 1 }) !== splitOfPatient('d', p, { seed: 2 }),
    ).length
    expect(differing).toBeGreaterThan(1000)
  })

  test.for([
    { fractions: { valid: 0, test: 1 }, want: 'test' },
    { fractions: { valid: 1, test: 0 }, want: 'valid' },
    { fractions: { valid: 0, test: 0 }, want: 'train' },
  ] as const)('follows the fractions: all $want', ({ fractions, want }) => {
    expect(new Set(patients.map(patient => splitOfPatient('d', patient, { seed: 1, fractions })))).toEqual(
      new Set([want]),
    )
  })
})

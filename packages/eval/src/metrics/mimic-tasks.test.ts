import { describe, expect, test } from 'vitest'
import { cohenKappa, mortalityMetrics, stayClassOf, stayMetrics } from '../index.ts'

describe('MIMIC-IV tasks', () => {
  test.for([-1, Number.NaN, Infinity])('refuse a stay of %s days', days => {
    expect(() => stayClassOf(days)).toThrow(/length of stay in days is .* outside \[0, infinity\)/)
  })

  test('count a missing prediction as wrong', () => {
    expect(stayMetrics(['A', 'B'], ['A', undefined])).toEqual({ accuracy: 0.5, f1: 0.25 })
    expect(mortalityMetrics([true, false], [true, undefined])).toEqual({ accuracy: 0.5, f1: 1 })
  })

  test('refuse lists of different length, and empty ones', () => {
    expect(() => stayMetrics(['A'], [])).toThrow(/differ in length: 1 and 0/)
    expect(() => mortalityMetrics([], [])).toThrow(/no rows to compute task metrics/)
  })
})

describe('cohenKappa', () => {
  test('is 1 for raters who agree and 0 for raters who agree by chance alone', () => {
    expect(cohenKappa(['high', 'low', 'none'], ['high', 'low', 'none'])).toBe(1)
    expect(cohenKappa(['a', 'a', 'b', 'b'], ['a', 'b', 'a', 'b'])).toBe(0)
  })

  test('refuses ratings of different statements, and none', () => {
    expect(() => cohenKappa(['a'], [])).toThrow(/ratings differ in length/)
    expect(() => cohenKappa([], [])).toThrow(/no rows to compute Cohen's kappa/)
  })
})

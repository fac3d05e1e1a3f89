import { openSources, type Sample } from '@qoq-med/data-climb'
import { describe, expect, test } from 'vitest'
import { overallAccuracy, type AnswerOutcome } from './overall-accuracy.ts'
import { validationDraw } from './validation-draw.ts'

const samplesOf = (domain: string, count: number): Sample[] =>
  Array.from(
    { length: count },
    (_, i) => ({ id: `${domain}/${i}`, domain, split: 'valid', answer: ['a'] }) as unknown as Sample,
  ) // what a draw reads

const counts = (drawn: readonly Sample[]): Record<string, number> =>
  Object.fromEntries(
    [...new Set(drawn.map(({ domain }) => domain))]
      .toSorted()
      .map(domain => [domain, drawn.filter(sample => sample.domain === domain).length]),
  )

describe('validationDraw', () => {
  const samples = [...samplesOf('ecg', 90), ...samplesOf('mri', 8), ...samplesOf('ct', 2)]
  const drawnBy = async (how: { samples: number; draw: 'random' | 'by-domain' }): Promise<Sample[]> =>
    validationDraw((await openSources([{ samples }])).select(), how, 3)

  test('draws as many of each domain as there are; one with too few gives its places to the others', async () => {
    expect(counts(await drawnBy({ samples: 18, draw: 'by-domain' }))).toEqual({ ct: 2, ecg: 8, mri: 8 })
    expect(counts(await drawnBy({ samples: 40, draw: 'by-domain' }))).toEqual({ ct: 2, ecg: 30, mri: 8 })
    expect(await drawnBy({ samples: 1000, draw: 'by-domain' })).toHaveLength(100)
  })

  test('draws from all alike by default, the same ones every time', async () => {
    const drawn = await drawnBy({ samples: 20, draw: 'random' })
    expect(counts(drawn)['ecg']).toBeGreaterThan(14)
    expect(await drawnBy({ samples: 20, draw: 'random' })).toEqual(drawn)
    expect(new Set(drawn.map(({ id }) => id)).size).toBe(20)
  })
})

const outcome = (domain: string, dataset: string, accuracy: number): AnswerOutcome => ({ domain, dataset, accuracy })

describe('overallAccuracy', () => {
  /** ecg: two datasets of means 1/3 and 1; mri: one of mean 0.5. */
  const outcomes = [
    ...[1, 0, 0].map(value => outcome('ecg', 'a', value)),
    outcome('ecg', 'b', 1),
    ...[0, 1].map(value => outcome('mri', 'c', value)),
  ]

  test('is the mean over domains of the mean over datasets, not over samples', () => {
    expect(overallAccuracy(outcomes, { seed: 1 }).overall).toBeCloseTo((2 / 3 + 1 / 2) / 2, 12)
  })

  test('has the interval of all redraws, counted out', () => {
    // Every draw of three from a (27) with every draw of two from c (4), each as likely: b has one answer only.
    const exact = [1, 0, 0]
      .flatMap(x => [1, 0, 0].flatMap(y => [1, 0, 0].map(z => (x + y + z) / 3)))
      .flatMap(a => [0, 0.5, 0.5, 1].map(c => ((a + 1) / 2 + c) / 2))
      .toSorted((a, b) => a - b)
    const quantile = (share: number): number => exact[Math.round(share * (exact.length - 1))]!
    const { interval } = overallAccuracy(outcomes, { seed: 1, redraws: 20_000 })
    expect(interval[0]).toBeCloseTo(quantile(0.025), 9)
    expect(interval[1]).toBeCloseTo(quantile(0.975), 9)
  })

  test('has no width where all answers are alike, and the same bits for the same seed', () => {
    const alike = [outcome('ecg', 'a', 0.5), outcome('ecg', 'a', 0.5), outcome('mri', 'c', 1)]
    expect(overallAccuracy(alike, { seed: 1 }).interval).toEqual([0.75, 0.75])
    expect(overallAccuracy(outcomes, { seed: 4 })).toEqual(overallAccuracy(outcomes, { seed: 4 }))
    expect(overallAccuracy([], { seed: 1 })).toEqual({ overall: 0, interval: [0, 0] })
  })
})

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { drawOrder } from './draw-order.ts'
import { keyedPermutation } from './keyed-permutation.ts'

const weighted = fc.record({ rows: fc.integer({ min: 1, max: 40 }), weight: fc.integer({ min: 1, max: 30 }) })
const sources = fc.array(weighted, { minLength: 1, maxLength: 6 })

/** Whose turn each draw is, by sorting all turns by the places that the order is defined by. */
function turnsInOrder(weights: readonly number[], count: number): number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  return weights
    .flatMap((weight, of) => Array.from({ length: count }, (_, k) => ({ place: (k + 0.5) / (weight / total), of })))
    .toSorted((a, b) => a.place - b.place || a.of - b.of)
    .slice(0, count)
    .map(({ of }) => of)
}

describe('drawOrder', () => {
  test('gives turns in the order of their places, wherever it is asked', () => {
    fc.assert(
      fc.property(sources, fc.integer(), (list, seed) => {
        const order = drawOrder(list, seed)
        const want = turnsInOrder(
          list.map(({ weight }) => weight),
          300,
        )
        // Backwards: nothing may depend on what was asked before.
        const got = want.map((_, i) => order.at(299 - i).source).toReversed()
        expect(got).toEqual(want)
      }),
      { numRuns: 60 },
    )
  })

  test('gives every row of a source once in each pass, at any distance', () => {
    const run = { rows: fc.integer({ min: 1, max: 200 }), pass: fc.integer({ min: 0, max: 1e7 }), seed: fc.integer() }
    fc.assert(
      fc.property(fc.record(run), ({ rows, pass, seed }) => {
        const order = drawOrder([{ rows }], seed)
        const drawn = Array.from({ length: rows }, (_, i) => order.at(pass * rows + i).row)
        expect(drawn.toSorted((a, b) => a - b)).toEqual(Array.from({ length: rows }, (_, i) => i))
      }),
      { numRuns: 100 },
    )
  })

  test('is as quick at the billionth draw as at the first', () => {
    const order = drawOrder([{ rows: 2_610_000, weight: 3 }, { rows: 12, weight: 0.7 }, { rows: 99 }], 1)
    const window = Array.from({ length: 470 }, (_, i) => order.at(1e9 + i).source)
    const counts = [0, 1, 2].map(source => window.filter(one => one === source).length)
    // 470 draws are a hundred rounds of 3 + 0.7 + 1.
    expect(counts.map((count, i) => Math.abs(count - [300, 70, 100][i]!)).every(off => off <= 1)).toBe(true)
  })
})

describe('keyedPermutation', () => {
  test('gives every number once', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 700 }), fc.string(), (length, key) => {
        const permutation = keyedPermutation(length, key)
        const numbers = Array.from({ length }, (_, at) => permutation(at))
        expect(numbers.toSorted((a, b) => a - b)).toEqual(Array.from({ length }, (_, i) => i))
      }),
      { numRuns: 80 },
    )
  })

  test('spreads: neighbours are as far from each other as two numbers drawn at random', () => {
    const [length, count] = [1_000_003, 20_000]
    const permutation = keyedPermutation(length, 'x')
    let sum = 0
    for (let at = 0; at < count; at++) sum += Math.abs(permutation(at + 1) - permutation(at)) / length
    // The mean distance of two uniform numbers is 1/3, its deviation sqrt(1/18).
    expect(Math.abs(sum / count - 1 / 3)).toBeLessThan(5 * Math.sqrt(1 / 18 / count))
  })
})

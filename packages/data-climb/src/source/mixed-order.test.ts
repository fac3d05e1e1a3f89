import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { MixedRow, MixedSource } from './draw-order.ts'
import { mixedOrder, shareOf } from './mixed-order.ts'

function first(sources: readonly MixedSource[], seed: number, count: number): MixedRow[] {
  const order = mixedOrder(sources, seed)
  return Array.from({ length: count }, () => order.next().value as MixedRow) // the order has no end
}

const source = fc.record({ rows: fc.integer({ min: 1, max: 60 }), weight: fc.integer({ min: 1, max: 20 }) })
const sources = fc.array(source, { minLength: 1, maxLength: 5 })

describe('mixedOrder', () => {
  test('gives every source its share of every beginning, as nearly as whole draws allow', () => {
    fc.assert(
      fc.property(sources, fc.integer(), (list, seed) => {
        const total = list.reduce((sum, { weight }) => sum + weight, 0)
        const counts = list.map(() => 0)
        for (const [i, draw] of first(list, seed, 200).entries()) {
          counts[draw.source]! += 1
          for (const [s, { weight }] of list.entries())
            expect(Math.abs(counts[s]! - ((i + 1) * weight) / total)).toBeLessThan(
              list.length > 2 ? list.length - 1 : 1.0001,
            )
        }
      }),
      { numRuns: 60 },
    )
  })

  test('gives all rows of a source once before any a second time, in another order', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 500 }), fc.integer(), (rows, seed) => {
        const drawn = first([{ rows }], seed, rows * 2).map(({ row }) => row)
        const all = Array.from({ length: rows }, (_, i) => i)
        expect(drawn.slice(0, rows).toSorted((a, b) => a - b)).toEqual(all)
        expect(drawn.slice(rows).toSorted((a, b) => a - b)).toEqual(all)
      }),
      { numRuns: 60 },
    )
    const drawn = first([{ rows: 30 }], 1, 60).map(({ row }) => row)
    expect(drawn.slice(0, 30)).not.toEqual(drawn.slice(0, 30).toSorted((a, b) => a - b))
    expect(drawn.slice(30)).not.toEqual(drawn.slice(0, 30))
  })

  test('depends on the seed alone, and spreads a large source', () => {
    const large = [{ rows: 2_610_000 }]
    expect(first(large, 1, 100)).toEqual(first(large, 1, 100))
    expect(first(large, 1, 100)).not.toEqual(first(large, 2, 100))
    const mean = first(large, 1, 2000).reduce((sum, { row }) => sum + row / 2_610_000, 0) / 2000
    expect(mean).toBeGreaterThan(0.5 - 4 / Math.sqrt(12 * 2000))
    expect(mean).toBeLessThan(0.5 + 4 / Math.sqrt(12 * 2000))
  })

  test('is shared among readers without losing or doubling a draw', () => {
    const order = first([{ rows: 30 }, { rows: 7, weight: 3 }], 5, 100)
    const shares = [0, 1, 2].map(reader => [...shareOf(order, { reader, readers: 3 })])
    expect(order.map((_, i) => shares[i % 3]![Math.floor(i / 3)])).toEqual(order)
  })

  test.for([
    { name: 'no sources', list: [] },
    { name: 'an empty source', list: [{ rows: 0 }] },
    { name: 'a weight of 0', list: [{ rows: 3, weight: 0 }] },
  ])('refuses $name', ({ list }) => {
    expect(() => mixedOrder(list, 1).next()).toThrow(expect.objectContaining({ code: 'DATA_OPTION_INVALID' }))
  })
})

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { sizeLadder } from './size-ladder.ts'

test('climbs 1, 2, 3, 4, 6, 8, 12, 16', () => {
  expect([1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 16, 17].map(sizeLadder)).toEqual([
    1, 2, 3, 4, 6, 6, 8, 8, 12, 12, 16, 16, 24,
  ])
})

test('holds the count, wastes at most a third, and does not fall', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1e6 }), count => {
      const size = sizeLadder(count)
      expect(size).toBeGreaterThanOrEqual(count)
      expect((size - count) / size).toBeLessThanOrEqual(1 / 3)
      expect(sizeLadder(count + 1)).toBeGreaterThanOrEqual(size)
      expect(sizeLadder(size)).toBe(size)
    }),
  )
})

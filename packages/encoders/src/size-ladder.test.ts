import fc from 'fast-check'
import { expect, test } from 'vitest'
import { sizeLadder } from './size-ladder.ts'

test('climbs 1, 2, 3, 4, 6, 8, 12, 16', () => {
  expect([1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 16, 17].map(count => sizeLadder(count))).toEqual([
    1, 2, 3, 4, 6, 6, 8, 8, 12, 12, 16, 16, 24,
  ])
})

test('climbs in four steps', () => {
  const sizes = Array.from({ length: 17 }, (_, i) => sizeLadder(i + 1, 4))
  expect(sizes).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 10, 10, 12, 12, 14, 14, 16, 16, 20])
})

test('holds the count, wastes at most a third, and does not fall', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1e6 }), fc.constantFrom(1, 2, 4), (count, steps) => {
      const size = sizeLadder(count, steps)
      expect(size).toBeGreaterThanOrEqual(count)
      expect((size - count) / size).toBeLessThanOrEqual({ 1: 1 / 2, 2: 1 / 3, 4: 1 / 5 }[steps])
      expect(sizeLadder(count + 1, steps)).toBeGreaterThanOrEqual(size)
      expect(sizeLadder(size, steps)).toBe(size)
    }),
  )
})

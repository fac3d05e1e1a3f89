import fc from 'fast-check'
import { expect, test } from 'vitest'
import { mixSeed } from '../config/mix-seed.ts'
import { samplesAt } from './sample-order.ts'

test('every epoch takes every sample once', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), fc.nat(5), fc.nat(), (size, epoch, seed) => {
      const order = samplesAt(size, epoch * size, size, seed)
      expect(order.toSorted((a, b) => a - b)).toEqual(Array.from({ length: size }, (_, i) => i))
    }),
  )
})

test('a resumed run goes on where it was', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), fc.nat(30), fc.integer({ min: 1, max: 30 }), (size, from, count) => {
      const whole = samplesAt(size, 0, from + count, 7)
      expect(samplesAt(size, from, count, 7)).toEqual(whole.slice(from))
    }),
  )
})

test('seeds and epochs give different orders', () => {
  expect(samplesAt(30, 0, 30, 1)).not.toEqual(samplesAt(30, 0, 30, 2))
  expect(samplesAt(30, 0, 30, 1)).not.toEqual(samplesAt(30, 30, 30, 1))
  expect(mixSeed(1, 2)).not.toBe(mixSeed(2, 1))
})

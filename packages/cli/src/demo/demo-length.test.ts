import { expect, test } from 'vitest'
import { stepsFromScratch, stepsWithin } from './demo-length.ts'

test.for([
  { machine: 'a usual', minutes: 5, seconds: [9, 3], steps: 55 },
  { machine: 'a fast', minutes: 5, seconds: [2, 0.5], steps: 60 },
  { machine: 'a slow', minutes: 5, seconds: [40, 33], steps: 5 },
  { machine: 'a hopeless', minutes: 5, seconds: [400, 400], steps: 2 },
  { machine: 'any, for a short demo on a', minutes: 0.2, seconds: [4, 3], steps: 2 },
])('$machine machine takes $steps steps', ({ minutes, seconds, steps }) => {
  expect(stepsWithin(minutes, seconds)).toBe(steps)
})

test('a demo from nothing is as long as it is asked to be', () => {
  expect(stepsFromScratch(1)).toEqual({ warmStart: 420, drpo: 22 })
  expect(stepsFromScratch(0.001)).toEqual({ warmStart: 2, drpo: 2 })
})

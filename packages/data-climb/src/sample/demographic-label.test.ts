import { expect, test } from 'vitest'
import { demographicLabel } from './demographic-label.ts'

// Bands and rules of arXiv 2510.19893 and its code; what that code takes for a group by mistake is unknown here.
test.for([
  { facts: { sex: 'M', age: 60 }, want: 'M,A3' },
  { facts: { sex: 'female', age: 25 }, want: 'F,A1' },
  { facts: { sex: 'Female', age: 25.5 }, want: 'F,A2' },
  { facts: { sex: 'male', age: 50 }, want: 'M,A2' },
  { facts: { sex: ' f', age: 75 }, want: 'F,A3' },
  { facts: { age: 75.01 }, want: 'A4' },
  { facts: { sex: 'm', age: Number.NaN }, want: 'M' },
  { facts: { sex: 'M', age: Infinity }, want: 'M' },
  { facts: { sex: 'nan', age: 0 }, want: 'A1' },
  { facts: { sex: 'UNK', age: -1 }, want: undefined },
  { facts: { sex: '' }, want: undefined },
  { facts: {}, want: undefined },
])('$facts is $want', ({ facts, want }) => {
  expect(demographicLabel(facts)).toBe(want)
})

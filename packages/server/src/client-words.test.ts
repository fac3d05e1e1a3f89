import { describe, expect, test } from 'vitest'
import { withoutClientWords } from './client-words.ts'

const sentence = 'There is no preset named Hans Meier; there are paper, release.'
const withheld = 'There is no preset named (withheld); there are paper, release.'

const own = new Set(['preset', 'paper'])

describe('withoutClientWords', () => {
  test.for<[string, unknown]>([
    ['in a field', { preset: 'Hans Meier' }],
    ['as a key', { aliases: { 'Hans Meier': 1 } }],
    ['with blanks around it', { preset: ' Hans Meier\n' }],
    ['before and after parts of it', { rows: ['Hans'], preset: 'Hans Meier', last: 'Meier' }],
    ['beside more texts than a body has rows', { preset: 'Hans Meier', rows: Array.from({ length: 300_000 }, String) }],
  ])('takes a name out that the client wrote %s', ([, body]) => {
    expect(withoutClientWords(sentence, body, own)).toBe(withheld)
  })

  test('leaves names of its own, and parts of words', () => {
    expect(withoutClientWords(sentence, { preset: 'paper', word: 'ape' }, own)).toBe(sentence)
  })
})

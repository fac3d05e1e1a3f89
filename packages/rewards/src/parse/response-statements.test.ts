import { expect, test } from 'vitest'
import { responseStatements } from './response-statements.ts'

test.for<{ name: string; response: string; want: readonly string[] }>([
  {
    name: 'sentences of the reasoning alone',
    response: '<think>The heart is large. Is it? Yes!</think> It is. \\boxed{Cardiomegaly}',
    want: ['The heart is large.', 'Is it?', 'Yes!'],
  },
  {
    name: 'numbers with a point are one',
    response: '<think>PR is 0.2 s. QT is 0.4 s.</think>',
    want: ['PR is 0.2 s.', 'QT is 0.4 s.'],
  },
  { name: 'what holds no letter is none', response: '<think>One. … 3.</think>', want: ['One.'] },
  { name: 'nothing without reasoning', response: '\\boxed{Normal}', want: [] },
])('$name', ({ response, want }) => {
  expect(responseStatements(response)).toEqual(want)
})

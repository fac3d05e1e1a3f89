import { expect, test } from 'vitest'
import { combine } from './combine.ts'
import { presets } from './presets.ts'
import { builtInRewards } from './built-in-rewards.ts'

const size = 2 ** 20
const fill = (unit: string): string => unit.repeat(Math.ceil(size / unit.length)).slice(0, size)
const everything = combine(Object.fromEntries(Object.keys(builtInRewards).map(name => [name, 1])))
const release = combine(presets.release)
const truth = {
  answer: ['a'],
  labels: ['a', 'b, c and d & e', 'f'],
  mask: { width: 512, height: 512, rle: [1000, 200_000, 61_144] },
}

/** Quadratic work on a megabyte takes many minutes; the slowest of these takes about two seconds on a busy core. */
const limitMs = 20_000

const repeated = [
  ' ',
  '\n',
  '.',
  '-',
  '0',
  'a',
  '"',
  "'",
  '\\',
  '`',
  '```',
  '{',
  '}',
  '[',
  ']',
  '(',
  '{}',
  '[]',
  '[[',
  '[{',
  '{"',
  '["',
  "['",
  '[1,',
  '[1,[',
  '{"a":',
  '{"a":{',
  '{"bbox_2d":',
  '[{"bbox_2d":[1,2,3,4]},',
  '[{"bbox_2d":[1,2,3,4]}] ',
  '```json\n',
  '```json\n[',
  '``` json',
  '```\n[1]\n',
  '<think>',
  '</think>',
  '\\boxed{',
  '\\boxed{a}',
  '\\boxed',
  '\\\\boxed{',
  '\\{',
  '\\text{',
  '\\text ',
  '-Infinity',
  'NaN',
  '1e',
  '\uD83D',
  '\u200B',
  '\uFEFF',
  '\u0130',
  'ﷺ',
]
const wrapped = [
  ' ',
  '\n',
  '.',
  ',',
  'a,',
  ' and ',
  'and ',
  '&',
  '\\text{a}',
  '\\text ',
  'b, c and d & e f',
  '*',
  '- ',
  '\u200B',
  'a b ',
  '\\}',
]

test.for([
  ...repeated.map(unit => [`${JSON.stringify(unit)} over and over`, fill(unit)] as const),
  ...wrapped.map(unit => [`${JSON.stringify(unit)} inside a boxed answer`, `\\boxed{x${fill(unit)}x}`] as const),
  ['a JSON string without an end', `\`\`\`json\n[{"label": "${fill('a\\')}`] as const,
  ['a number without an end', `\`\`\`json\n[${fill('1')}x`] as const,
  ['a label of a megabyte', `[{"bbox_2d": [0, 0, 1, 1], "label": "${fill('a.')}"}] \\boxed{a}`] as const,
])('a megabyte of %s is parsed and scored in linear time', ([, text]) => {
  const start = performance.now()
  const scores = [everything(text, truth).score, release(text, truth).score]
  expect(performance.now() - start).toBeLessThan(limitMs)
  expect(scores.every(Number.isFinite)).toBe(true)
})

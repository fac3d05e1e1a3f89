import { describe, expect, test } from 'vitest'
import { findingFormat, format, lenientFormat } from './format.ts'
import { length } from './length.ts'
import { parseResponse } from './parse/parsed-response.ts'
import type { RewardResult } from './reward.ts'

const scoreOf = (result: RewardResult): number => ('score' in result ? result.score : NaN)
const image = { answer: ['Edema'], labels: ['Edema', 'Mass'], aliases: { Edema: ['Oedema'] } }
const ecg = { answer: ['MI'], modality: ['ecg', 'text'] }

describe('format', () => {
  test.for([
    {
      name: 'a box for every label',
      text: '[{"bbox_2d":[0,0,1,1],"label":"edema"},{"bbox_2d":[0,0,1,1],"label":"Mass"}] \\boxed{Edema, Mass}',
      want: 1,
    },
    { name: 'a box under an alias', text: '[{"bbox_2d":[0,0,1,1],"label":"Oedema"}] \\boxed{Edema}', want: 1 },
    { name: 'a label without a box', text: '[{"bbox_2d":[0,0,1,1],"label":"Edema"}] \\boxed{Edema, Mass}', want: 0 },
    { name: 'a box of another name', text: '[{"bbox_2d":[0,0,1,1],"label":"lesion"}] \\boxed{Edema}', want: 0 },
    { name: 'a box without a name', text: '[{"bbox_2d":[0,0,1,1]}] \\boxed{Edema}', want: 0 },
    { name: 'a box without an area', text: '[{"bbox_2d":[1,1,1,5],"label":"Edema"}] \\boxed{Edema}', want: 0 },
    { name: 'no label', text: '[{"bbox_2d":[0,0,1,1],"label":"Edema"}] \\boxed{}', want: 0 },
  ])('scores $name with $want', ({ text, want }) => {
    expect(format(parseResponse(text), image).score).toBe(want)
  })

  test.for([
    { text: '<think>ST elevation</think> \\boxed{MI}', want: 1 },
    { text: '<think></think> \\boxed{MI}', want: 0 },
    { text: '<think>ST elevation \\boxed{MI}', want: 0 },
    { text: 'ST elevation</think> \\boxed{MI}', want: 0 },
    { text: '<think>ST elevation</think> \\boxed{}', want: 0 },
    { text: '<think>ST elevation</think> MI', want: 0 },
  ])('asks an ECG for reasoning and a boxed answer: $text', ({ text, want }) => {
    expect(format(parseResponse(text), ecg).score).toBe(want)
  })
})

describe('lenientFormat', () => {
  test.for([
    { text: '<think>a</think> [{"bbox_2d":[0,0,1,1]}] \\boxed{Edema}', truth: image, want: 1 },
    { text: '<think>a</think> \\boxed{Edema}', truth: image, want: 0 },
    { text: '<think>a</think> \\boxed{MI}', truth: ecg, want: 1 },
    { text: '<think>a</think> \\boxed{Edema}', truth: { ...ecg, image: { width: 9, height: 9 } }, want: 0 },
  ])('scores $text with $want', ({ text, truth, want }) => {
    expect(scoreOf(lenientFormat(parseResponse(text), truth))).toBe(want)
  })
})

describe('length', () => {
  test.for([
    { characters: 0, want: 0 },
    { characters: 42, want: 0.042 },
    { characters: 600, want: 0.6 },
    { characters: 601, want: 1 },
  ])('pays $want for $characters characters, counted as code points', ({ characters, want }) => {
    expect(length(parseResponse('z'.repeat(characters))).score).toBeCloseTo(want, 12)
    expect(length(parseResponse('😀'.repeat(characters))).score).toBeCloseTo(want, 12)
  })
})

describe('findingFormat', () => {
  const truth = { answer: ['No Finding'], labels: ['No Finding', 'Edema', 'Mass'], negativeLabels: ['no finding'] }
  const box = '```json\n[{"bbox_2d": [1, 1, 5, 5], "label": "Edema"}]\n```\n'
  test.for([
    { text: '\\boxed{No Finding}', exempt: 1, printed: 0 },
    { text: `${box}\\boxed{Edema}`, exempt: 1, printed: 1 },
    { text: `${box}\\boxed{Edema, No Finding}`, exempt: 1, printed: 0 },
    { text: `${box}\\boxed{Edema, Mass}`, exempt: 0, printed: 0 },
    { text: '\\boxed{Edema}', exempt: 0, printed: 0 },
    { text: '\\boxed{}', exempt: 0, printed: 0 },
    { text: 'no answer', exempt: 0, printed: 0 },
  ])('gives $text $exempt where eq. 6 as printed gives $printed', ({ text, exempt, printed }) => {
    const response = parseResponse(text, { labels: truth.labels })
    expect(findingFormat(response, truth)).toMatchObject({ score: exempt })
    expect(format(response, truth).score).toBe(printed)
  })
})

import { describe, expect, test } from 'vitest'
import { accuracy, exactMatch, taskAccuracy, setF1 } from './accuracy.ts'
import { jaccard } from './jaccard.ts'
import { parseResponse } from './parse/parsed-response.ts'

const answer = (text: string): ReturnType<typeof parseResponse> => parseResponse(`\\boxed{${text}}`)

describe('setF1', () => {
  test.for([
    { predicted: ['a', 'b'], truth: ['b', 'c'], want: 0.5 },
    { predicted: ['a', 'b', 'c'], truth: ['a'], want: 0.5 },
    { predicted: ['a'], truth: [], want: 0 },
    { predicted: [], truth: [], want: 1 },
  ])('is $want for $predicted and $truth', ({ predicted, truth, want }) => {
    expect(setF1(new Set(predicted), new Set(truth))).toBe(want)
  })
})

describe('accuracy', () => {
  test.for([
    {
      name: 'ignores order, case and punctuation',
      text: 'mass., EDEMA',
      truth: { answer: ['Edema', 'Mass'] },
      want: 1,
    },
    {
      name: 'knows aliases',
      text: 'AFIB',
      truth: { answer: ['Atrial fibrillation'], aliases: { 'Atrial fibrillation': ['afib'] } },
      want: 1,
    },
    {
      name: 'does not split inside a true label',
      text: 'Tumor and Stroma',
      truth: { answer: ['Tumor and Stroma'] },
      want: 1,
    },
    { name: 'counts wrong labels', text: 'Edema, Mass', truth: { answer: ['Edema'] }, want: 2 / 3 },
    { name: 'pays an empty box where nothing is true', text: '', truth: { answer: [] }, want: 1 },
    { name: 'pays None where nothing is true', text: 'None', truth: { answer: [] }, want: 1 },
  ])('$name', ({ text, truth, want }) => {
    expect(accuracy(answer(text), truth).score).toBeCloseTo(want, 12)
  })

  test('pays nothing for no answer, also where nothing is true', () => {
    expect(accuracy(parseResponse('Nothing to see.'), { answer: [] }).score).toBe(0)
  })
})

describe('exactMatch', () => {
  test.for([
    { text: 'b; A', want: 1 },
    { text: 'A', want: 0 },
    { text: 'A, B, C', want: 0 },
  ])('is $want for $text', ({ text, want }) => {
    expect(exactMatch(answer(text), { answer: ['A', 'B'] }).score).toBe(want)
  })
})

describe('taskAccuracy', () => {
  const labels = ['Benign', 'Malignant']
  test.for([
    { answerMode: 'single', text: 'Malignant', want: 1 },
    { answerMode: 'single', text: 'Benign, Malignant', want: 0 },
    { answerMode: 'single', text: 'Benign', want: 0 },
    { answerMode: 'multi', text: 'Benign, Malignant', want: 2 / 3 },
    { answerMode: undefined, text: 'Benign, Malignant', want: 2 / 3 },
  ] as const)('is $want for $text of a $answerMode answer', ({ answerMode, text, want }) => {
    expect(taskAccuracy(answer(text), { answer: ['Malignant'], labels, answerMode }).score).toBeCloseTo(want, 12)
  })
})

describe('jaccard', () => {
  test.for([
    { text: 'Left pleural effusion', truth: ['pleural effusion'], want: 2 / 3 },
    { text: 'PLEURAL-EFFUSION!', truth: ['pleural effusion'], want: 1 },
    { text: 'mass', truth: ['pleural effusion'], want: 0 },
    { text: '', truth: [], want: 1 },
  ])('is $want for $text', ({ text, truth, want }) => {
    expect(jaccard(answer(text), { answer: truth }).score).toBeCloseTo(want, 12)
  })

  test('pays nothing for no answer', () => {
    expect(jaccard(parseResponse(''), { answer: [] }).score).toBe(0)
  })
})

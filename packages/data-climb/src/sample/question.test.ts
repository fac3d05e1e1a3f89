import { describe, expect, test } from 'vitest'
import { questionTemplates, questionText } from './question.ts'
import { referenceResponse } from './reference.ts'

const parts = {
  sampleId: 'a/1',
  cue: 'brain MRI',
  labels: ['No Tumor', 'Glioma Tumor'],
  answerMode: 'single',
  modality: ['image'],
} as const

describe('questionText', () => {
  test('names the modality, every label and the answer form, in few words', () => {
    for (const sampleId of Array.from({ length: 40 }, (_, i) => `a/${i}`)) {
      const question = questionText({ ...parts, sampleId })
      for (const text of [
        'brain MRI',
        'No Tumor, Glioma Tumor',
        '<think></think>',
        '```json',
        String.raw`\boxed{label}`,
      ])
        expect(question).toContain(text)
      expect(question).not.toMatch(/\{cue\}|\{labels\}/)
      expect(question.split(/\s+/).length).toBeLessThanOrEqual(60)
    }
  })

  test('uses every phrasing, and the same one for the same sample', () => {
    const questions = Array.from({ length: 60 }, (_, i) => questionText({ ...parts, sampleId: `a/${i}` }))
    expect(new Set(questions).size).toBe(questionTemplates.single.length)
    expect(questionText(parts)).toBe(questionText(parts))
  })

  test('asks for no boxes in an ECG, and for several labels where several may hold', () => {
    const question = questionText({ ...parts, modality: ['ecg'], answerMode: 'multi' })
    expect(question).not.toContain('json')
    expect(question).toContain(String.raw`\boxed{label, label}`)
  })

  test('takes other templates', () => {
    expect(questionText(parts, { single: ['{cue}? {labels}'], multi: [''] })).toMatch(
      /^brain MRI\? No Tumor, Glioma Tumor\n/,
    )
  })
})

describe('referenceResponse', () => {
  const box = { x1: 1.4, y1: 2, x2: 30, y2: 40.6 }

  test('says the findings, gives their boxes and boxes the labels', () => {
    const response = referenceResponse({
      ...parts,
      answer: ['Glioma Tumor'],
      findings: [{ label: 'tumor', description: 'a bright mass', box }],
    })
    expect(response).toMatch(
      /^<think>.*There is a bright mass\..*Glioma Tumor.*<\/think>\n```json\n\[.*\]\n```\n\\boxed\{Glioma Tumor\}$/,
    )
    expect(JSON.parse(/```json\n(.*)\n```/.exec(response)![1]!)).toEqual([{ bbox_2d: [1, 2, 30, 41], label: 'tumor' }])
  })

  test('invents nothing where the truth has labels only', () => {
    const response = referenceResponse({ ...parts, answer: ['No Tumor', 'Other'] })
    expect(response).toContain('```json\n[]\n```')
    expect(response).not.toContain('There is')
    expect(response.endsWith(String.raw`\boxed{No Tumor, Other}`)).toBe(true)
  })

  test('has several phrasings', () => {
    const responses = Array.from({ length: 60 }, (_, i) =>
      referenceResponse({ ...parts, sampleId: `a/${i}`, answer: ['No Tumor'] }),
    )
    expect(new Set(responses).size).toBe(9)
  })
})

import { describe, expect, test } from 'vitest'
import { answerLabels } from './answer-labels.ts'
import { createVocabulary, normalizeLabel } from './label-vocabulary.ts'

describe('answerLabels without a label list', () => {
  const open = createVocabulary({})
  test.for([
    { answer: 'A, B; C & D and E\nF', want: ['A', 'B', 'C', 'D', 'E', 'F'] },
    { answer: 'A, B, and C', want: ['A', 'B', 'C'] },
    { answer: 'sand AND gravel', want: ['sand', 'gravel'] },
    { answer: 'andante', want: ['andante'] },
    { answer: 'A, , A., a', want: ['A'] },
    { answer: '- Edema\n- **Pneumonia**', want: ['Edema', 'Pneumonia'] },
    { answer: '\\text{Edema} and \\mathrm{Mass}', want: ['Edema', 'Mass'] },
    { answer: 'None', want: [] },
    { answer: 'None, Edema', want: ['None', 'Edema'] },
    { answer: '', want: [] },
  ])('splits $answer', ({ answer, want }) => {
    expect(answerLabels(answer, open)).toEqual(want)
  })
})

describe('answerLabels with a label list', () => {
  const vocabulary = createVocabulary({
    labels: ['Colon, adenocarcinoma', 'Colon', 'Tumor and Stroma', 'R&D', 'None', 'Atrial fibrillation'],
    aliases: { 'Atrial fibrillation': ['AFIB', 'AF'] },
  })
  test.for([
    { answer: 'colon, Adenocarcinoma and tumor and stroma', want: ['Colon, adenocarcinoma', 'Tumor and Stroma'] },
    { answer: 'Colon', want: ['Colon'] },
    { answer: 'r&d & afib', want: ['R&D', 'Atrial fibrillation'] },
    { answer: 'AF, Atrial fibrillation', want: ['Atrial fibrillation'] },
    { answer: 'none', want: ['None'] },
    { answer: 'Tumor', want: ['Tumor'] },
  ])('reads $answer', ({ answer, want }) => {
    expect(answerLabels(answer, vocabulary)).toEqual(want)
  })
})

describe('answerLabels with marks that belong to labels', () => {
  const labels = ['T1', 'T2', 'T2*', 'COVID-19', 'COVID-19?', 'Glioma (WHO IV)']
  const vocabulary = createVocabulary({ labels })
  test.for([
    { answer: 'T2', want: ['T2'] },
    { answer: 'T2*', want: ['T2*'] },
    { answer: '**T2**', want: ['T2'] },
    { answer: '**T2***', want: ['T2*'] },
    { answer: '"T2*."', want: ['T2*'] },
    { answer: 't2, T2*', want: ['T2', 'T2*'] },
    { answer: 'T1*', want: ['T1*'] },
    { answer: 'COVID-19', want: ['COVID-19'] },
    { answer: 'covid-19?', want: ['COVID-19?'] },
    { answer: '(Glioma (WHO IV))', want: ['Glioma (WHO IV)'] },
    { answer: '\\text{Glioma}\\ \\text{(WHO IV)}', want: ['Glioma (WHO IV)'] },
  ])('reads $answer', ({ answer, want }) => {
    expect(answerLabels(answer, vocabulary)).toEqual(want)
  })

  test('does not take T2 for T2* where the list has the star alone', () => {
    const stars = createVocabulary({ labels: ['T1', 'T2*'] })
    expect(stars.find('T2')).toBeUndefined()
    expect(stars.keyOf('T2')).not.toBe(stars.keyOf('T2*'))
  })

  test.for(labels)('finds %s in any wrapping that no label uses at its edge', label => {
    for (const wrapped of [
      `${label}.`,
      `"${label}"`,
      ` ${label} `,
      `${label.toUpperCase()},`,
      `$${label}$`,
      `\\text{${label}}`,
    ])
      expect(vocabulary.find(wrapped.replace(/,$/, ''))).toBe(label)
  })
})

describe('normalizeLabel', () => {
  test.for([
    ['  Pleural   Effusion. ', 'pleural effusion'],
    ['Café', 'café'],
    ['Ａｆｉｂ', 'afib'],
    ['Mass\u200B', 'mass'],
    ['ER+', 'er+'],
    ['ER-', 'er-'],
    ['- Edema', 'edema'],
    ['"$\\text{Edema}$"', 'edema'],
    ['...', ''],
  ] as const)('brings %s to %s', ([label, want]) => {
    expect(normalizeLabel(label)).toBe(want)
  })
})

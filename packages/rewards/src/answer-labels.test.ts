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

import { describe, expect, test } from 'vitest'
import { supportingFindings } from './supporting-findings.ts'

const box = { x1: 1, y1: 2, x2: 3, y2: 4 }
const names = { labels: ['No Finding', 'Edema', 'Mass'], negativeLabels: ['No Finding'] }

describe('supportingFindings', () => {
  test.for([
    {
      name: 'keeps a finding that is named as a label, in the spelling of the list',
      findings: [{ label: 'edema', box }],
      answer: ['Edema'],
      want: [{ label: 'Edema', box }],
    },
    {
      name: 'names another finding as the answer and says what it is',
      findings: [{ label: 'lesion', box }],
      answer: ['Mass'],
      want: [{ label: 'Mass', description: 'a lesion', box }],
    },
    {
      name: 'gives it to every label without a box of its own, and says it once',
      findings: [
        { label: 'Edema', box },
        { label: 'opacity', description: 'a dark spot', box },
      ],
      answer: ['Edema', 'Mass'],
      want: [
        { label: 'Edema', box },
        { label: 'Mass', description: 'a dark spot', box },
      ],
    },
    {
      name: 'supports no label that means that nothing was found',
      findings: [{ label: 'artefact', box }],
      answer: ['No Finding'],
      want: [{ label: 'artefact', box }],
    },
    {
      name: 'leaves words without a place alone',
      findings: [{ label: 'lesion', description: 'a scar' }],
      answer: ['Mass'],
      want: [{ label: 'lesion', description: 'a scar' }],
    },
  ])('$name', ({ findings, answer, want }) => {
    expect(supportingFindings(findings, answer, names)).toEqual(want)
  })
})

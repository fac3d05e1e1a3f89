import { readFileSync } from 'node:fs'
import { findDataset } from '@qoq-med/data-climb'
import { expect, test } from 'vitest'
import { mimicTaskResults } from './mimic-task-results.ts'

interface Oracle {
  readonly los_ihm: {
    y_true: ('A' | 'B' | 'C' | 'D')[]
    y_pred: ('A' | 'B' | 'C' | 'D' | null)[]
    accuracy_eq16: number
    macro_f1_eq17: number
    ihm_true: (0 | 1)[]
    ihm_pred: (0 | 1 | null)[]
    accuracy_eq18: number
    f1_eq19: number
  }[]
}

const oracle: Oracle = JSON.parse(readFileSync(new URL('../../fixtures/metrics.json', import.meta.url), 'utf8'))

/** The labels of the datasets as their definitions spell them. */
const stays = findDataset('mimic_iv_los').labels
const deaths = findDataset('mimic_iv_48ihm').labels

test.for(oracle.los_ihm)('equations 16 to 19 come from the labels of the MIMIC-IV datasets, case %#', item => {
  const stayLabel = (letter: string | null): string[] => stays.filter(label => label.startsWith(`${letter}:`))
  const deathLabel = (value: number | null): string[] => (value === null ? [] : [deaths[value]!]) // two labels
  const rows = [
    ...item.y_true.map((truth, i) => ({
      dataset: 'mimic_iv_los',
      truth: stayLabel(truth),
      predicted: stayLabel(item.y_pred[i]!),
    })),
    ...item.ihm_true.map((truth, i) => ({
      dataset: 'mimic_iv_48ihm',
      truth: deathLabel(truth),
      predicted: deathLabel(item.ihm_pred[i]!),
    })),
    { dataset: 'brain', truth: ['glioma'], predicted: ['none'] },
  ]
  const { mimic_iv_los: stay, mimic_iv_48ihm: death, ...others } = mimicTaskResults(rows)
  expect(stay).toEqual({ accuracy: expect.closeTo(item.accuracy_eq16, 9), f1: expect.closeTo(item.macro_f1_eq17, 9) })
  expect(death).toEqual({ accuracy: expect.closeTo(item.accuracy_eq18, 9), f1: expect.closeTo(item.f1_eq19, 9) })
  expect(others).toEqual({})
})

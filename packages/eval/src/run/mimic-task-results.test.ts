import { readFileSync } from 'node:fs'
import { findDataset } from '@qoq-med/data-climb'
import { expect, test } from 'vitest'
import { mimicTaskResults } from './mimic-task-results.ts'

interface Oracle {
  readonly los_ihm: {
    y_true: number[]
    y_pred: number[]
    accuracy_eq16: number
    macro_f1_eq17: number
    ihm_true: number[]
    ihm_pred: number[]
    accuracy_eq18: number
    f1_eq19: number
  }[]
}

const oracle: Oracle = JSON.parse(readFileSync(new URL('../../fixtures/metrics.json', import.meta.url), 'utf8'))

/** The labels of the datasets as their definitions spell them. */
const stays = findDataset('mimic_iv_los').labels
const deaths = findDataset('mimic_iv_48ihm').labels

/** Rows with the labels at the oracle's indices. */
function taskRows(dataset: string, labels: readonly string[], [truth, predicted]: readonly [number[], number[]]) {
  return truth.map((index, i) => ({ dataset, truth: [labels[index]!], predicted: [labels[predicted[i]!]!] })) // as many
}

test.for(oracle.los_ihm)('equations 16 to 19 come from the labels of the MIMIC-IV datasets, case %#', item => {
  const rows = [
    ...taskRows('mimic_iv_los', stays, [item.y_true, item.y_pred]),
    ...taskRows('mimic_iv_48ihm', deaths, [item.ihm_true, item.ihm_pred]),
    { dataset: 'brain', truth: ['glioma'], predicted: ['none'] },
  ]
  const { mimic_iv_los: stay, mimic_iv_48ihm: death, ...others } = mimicTaskResults(rows)
  expect(stay).toEqual({ accuracy: expect.closeTo(item.accuracy_eq16, 9), f1: expect.closeTo(item.macro_f1_eq17, 9) })
  expect(death).toEqual({ accuracy: expect.closeTo(item.accuracy_eq18, 9), f1: expect.closeTo(item.f1_eq19, 9) })
  expect(others).toEqual({})
})

import { isHintedError } from '@qoq-med/errors'
import { describe, expect, test } from 'vitest'
import { computeMetrics, type MetricRow } from '../index.ts'

const row = (truth: string[], predicted: string[], rest: Partial<MetricRow> = {}): MetricRow => ({
  dataset: 'busi',
  domain: 'ultrasound',
  truth,
  predicted,
  ...rest,
})
const labels = { busi: ['normal', 'benign', 'malignant'] }

function codeOf(work: () => unknown): string {
  try {
    work()
    return 'nothing thrown'
  } catch (error) {
    return isHintedError(error) ? `${error.code}: ${error.message} ${error.hint}` : String(error)
  }
}

describe('computeMetrics', () => {
  test('counts a repeated label once', () => {
    const once = computeMetrics([row(['benign'], ['benign'])], labels)
    const twice = computeMetrics([row(['benign', 'benign'], ['benign', 'benign', 'benign'])], labels)
    expect(twice).toEqual(once)
  })

  test('counts a predicted label outside the list against the exact match', () => {
    const rows = [row(['benign'], ['benign']), row(['normal'], ['normal', 'odd'])]
    const { exactMatch, accuracy } = computeMetrics(rows, labels).overall
    expect(exactMatch).toBe(0.5)
    expect(accuracy).toBe(1)
  })

  test.for([
    ['Benign', 'benign'],
    ['malignant ', 'Malignant'],
    ['"normal"', 'NORMAL.'],
  ] as const)('reads %s and %s as one label of the list', ([truth, predicted]) => {
    expect(computeMetrics([row([truth], [predicted])], labels).overall).toMatchObject({ exactMatch: 1, accuracy: 1 })
  })

  test('refuses a true label that is not on the list, with the label that may be meant', () => {
    expect(() => computeMetrics([row(['beningn'], ['benign'])], labels)).toThrow(
      expect.objectContaining({ code: 'EVAL_TRUTH_UNKNOWN', hint: 'Did you mean "benign"?' }),
    )
  })

  test('takes labels named like properties of objects', () => {
    const rows = [row(['__proto__'], ['constructor'])]
    const metrics = computeMetrics(rows, { busi: ['__proto__', 'constructor'] })
    expect(metrics.datasets['busi']?.hammingLoss).toBe(1)
    expect(Object.keys(metrics.datasets['busi']?.perLabel ?? {})).toEqual(['__proto__', 'constructor'])
  })

  test('reports the share of responses without an answer', () => {
    const rows = [row(['normal'], [], { unparseable: true }), row(['normal'], ['normal'])]
    expect(computeMetrics(rows, labels).overall.unparseable).toBe(0.5)
  })

  test('weighs datasets, not rows, within a domain (eq. 14)', () => {
    const right = row(['normal'], ['normal'])
    const wrong = { ...row(['normal'], ['benign']), dataset: 'covid-us' }
    const lists = { ...labels, 'covid-us': labels.busi }
    const { domains } = computeMetrics([right, right, right, wrong], lists)
    expect(domains['ultrasound']).toMatchObject({ exactMatch: 0.5, datasets: 2, support: 4 })
  })

  test.for([
    { name: 'no rows', rows: [], code: 'EVAL_NO_ROWS: There are no rows to compute metrics from.' },
    {
      name: 'a dataset without a list, and suggests the nearest',
      rows: [row([], [], { dataset: 'bussi' })],
      code: 'EVAL_LABELS_MISSING: There is no label list for dataset "bussi". Rename the list "busi" to "bussi"',
    },
    {
      name: 'a dataset without a list or anything like it',
      rows: [row([], [], { dataset: 'ptb-xl' })],
      code: 'EVAL_LABELS_MISSING: There is no label list for dataset "ptb-xl". Add "ptb-xl" with its labels',
    },
    {
      name: 'a dataset in two domains',
      rows: [row([], []), row([], [], { domain: 'mri' })],
      code: 'EVAL_DOMAIN_CONFLICT: Dataset "busi" appears in domain "ultrasound" and in domain "mri".',
    },
  ])('refuses $name', ({ rows, code }) => {
    expect(codeOf(() => computeMetrics(rows, labels))).toContain(code)
  })

  test.for([
    { problem: 'is empty', list: [] },
    { problem: 'names "normal" twice', list: ['normal', 'benign', 'normal'] },
  ])('refuses a label list that $problem', ({ problem, list }) => {
    const message = `EVAL_LABELS_INVALID: The label list of dataset "busi" ${problem}.`
    expect(codeOf(() => computeMetrics([row([], [])], { busi: list }))).toContain(message)
  })
})

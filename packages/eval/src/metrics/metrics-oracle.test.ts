import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import {
  bootstrapOutcomes,
  cohenKappa,
  computeMetrics,
  confusionMatrix,
  countOutcomes,
  datasetMetrics,
  encodeOutcomes,
  labelMetrics,
  matthewsCorrelation,
  type MetricRow,
  mortalityMetrics,
  percentileInterval,
  standardError,
  stayClasses,
  stayClassOf,
  stayMetrics,
} from '../index.ts'

/** scikit-learn 1.9.1 and the equations in float64 (fixtures/README.md); every value is compared at 1e-9. */
const oracle: Oracle = JSON.parse(readFileSync(new URL('../../fixtures/metrics.json', import.meta.url), 'utf8'))

const allRows = oracle.datasets.flatMap(one => rowsOf(one))
const allLabels = Object.fromEntries(oracle.datasets.map(one => [one.dataset, one.labels]))

const cases = [...oracle.datasets, ...oracle.edge_cases.map(one => ({ ...one, dataset: one.name, domain: 'edge' }))]

describe.for(cases)('dataset $dataset', item => {
  const rows = rowsOf(item)
  const outcomes = encodeOutcomes(rows, item.labels)
  const metrics = datasetMetrics(outcomes, item.domain)

  test('has the counts and shares of eqs. 8-11 for every label', () => {
    for (const [label, want] of Object.entries(item.paper.per_label))
      expect(misses(metrics.perLabel[label], want)).toEqual([])
  })

  test('has the averages of eqs. 12 and 13', () => {
    expect(
      misses(metrics, {
        accuracy: item.paper.balanced_accuracy_eq12,
        f1: item.paper.macro_f1_eq13,
        sensitivity: item.paper.macro_sensitivity,
        specificity: item.paper.macro_specificity,
        exactMatch: item.paper.exact_match,
        support: item.truths.length,
      }),
    ).toEqual([])
  })

  test("has scikit-learn's averages, agreement and correlation", () => {
    const want = item.sklearn_multilabel ?? item.sklearn
    expect(misses(metrics, { weightedF1: want.weighted_f1, hammingLoss: want.hamming_loss })).toEqual([])
    // scikit-learn reads a single label as two classes, so that these averages mean something else there.
    const several = { f1: want.macro_f1, microF1: want.micro_f1, samplesF1: want.samples_f1 }
    expect(item.labels.length > 1 ? misses(metrics, several) : []).toEqual([])
    expect(misses(countOutcomes(outcomes).map(matthewsCorrelation), want.per_label_mcc)).toEqual([])
    const kappas = item.labels.map(label => {
      const has = (names: readonly string[]): number => Number(names.includes(label))
      return cohenKappa(
        rows.map(row => has(row.truth)),
        rows.map(row => has(row.predicted)),
      )
    })
    expect(misses(kappas, want.per_label_kappa)).toEqual([])
  })
})

describe.for(cases.filter(item => item.sklearn_multiclass))('single-label dataset $dataset', item => {
  const want = item.sklearn_multiclass!
  const rows = rowsOf(item)

  test("has scikit-learn's confusion matrix", () => {
    const { classes, counts } = confusionMatrix(rows, item.labels)
    expect(Array.from(counts)).toEqual(want.confusion.flat())
    expect(classes).toEqual([...item.labels, '(none)'])
  })

  test("has scikit-learn's balanced accuracy and kappa", () => {
    const outcomes = encodeOutcomes(rows, item.labels)
    const metrics = datasetMetrics(outcomes, item.domain, { balancedAccuracy: 'recall' })
    expect(misses(metrics, { accuracy: want.balanced_accuracy_score })).toEqual([])
    expect(misses([cohenKappa(want.y_true, want.y_pred)], [want.kappa])).toEqual([])
  })
})

describe.for(cases.filter(item => item.bootstrap))('bootstrap of $dataset', item => {
  test('has the metrics of given draws, their interval and standard error', () => {
    const want = item.bootstrap!
    const outcomes = encodeOutcomes(rowsOf(item), item.labels)
    const drawn = want.indices.flat()
    let next = 0
    const random = (): number => (drawn[next++]! + 0.5) / item.truths.length
    const got = bootstrapOutcomes(outcomes, { random, resamples: want.indices.length })
    expect(misses(Array.from(got.accuracy), want.balanced_accuracy)).toEqual([])
    expect(misses(Array.from(got.f1), want.macro_f1)).toEqual([])
    expect(misses(Object.values(percentileInterval(got.accuracy)), want.ci95_linear.balanced_accuracy)).toEqual([])
    expect(misses(Object.values(percentileInterval(got.f1)), want.ci95_linear.macro_f1)).toEqual([])
    expect(misses([standardError(got.accuracy), standardError(got.f1)], want.se_ddof1)).toEqual([])
  })
})

describe('eqs. 14 and 15', () => {
  const metrics = computeMetrics(allRows, allLabels)
  const withoutEcg = computeMetrics(
    allRows.filter(row => row.domain !== 'ECG'),
    allLabels,
  )

  test.for([
    { name: 'accuracy', want: oracle.aggregate.balanced_accuracy_eq12 },
    { name: 'f1', want: oracle.aggregate.macro_f1_eq13 },
    { name: 'exactMatch', want: oracle.aggregate.exact_match },
  ] as const)('average $name over datasets and domains', ({ name, want }) => {
    for (const [domain, value] of Object.entries(want.domain))
      expect(misses(metrics.domains[domain], { [name]: value })).toEqual([])
    expect(misses(metrics.overall, { [name]: want.overall_eq15, domains: 9 })).toEqual([])
    expect(misses(withoutEcg.overall, { [name]: want.overall_without_ecg_8_domains, domains: 8 })).toEqual([])
  })
})

describe('eqs. 16-19', () => {
  test.for(oracle.los_ihm.map((item, index) => ({ index, item })))('score MIMIC-IV tasks, case $index', ({ item }) => {
    const truth = item.los_days.map(stayClassOf)
    expect(truth.map(name => stayClasses.indexOf(name))).toEqual(item.y_true)
    const predicted = item.y_pred.map(index => stayClasses[index])
    expect(misses(stayMetrics(truth, predicted), { accuracy: item.accuracy_eq16, f1: item.macro_f1_eq17 })).toEqual([])
    const [died, predictedDead] = [item.ihm_true.map(Boolean), item.ihm_pred.map(Boolean)]
    expect(misses(mortalityMetrics(died, predictedDead), { accuracy: item.accuracy_eq18, f1: item.f1_eq19 })).toEqual(
      [],
    )
    const [tn = 0, fp = 0, fn = 0, tp = 0] = item.ihm_confusion_tn_fp_fn_tp
    expect(misses([matthewsCorrelation({ tn, fp, fn, tp })], [item.ihm_mcc])).toEqual([])
    expect(misses(labelMetrics({ tn, fp, fn, tp }), { accuracy: item.accuracy_eq18, f1: item.f1_eq19 })).toEqual([])
  })
})

describe("the public code's reading (labels that are true somewhere)", () => {
  const rows = oracle.reference_evaluation_py.rows.map(row => ({
    dataset: row.dataset,
    domain: row.data_source,
    truth: row.truth.split(', '),
    predicted: /\\boxed\{(.*)\}/.exec(row.prediction)?.[1]?.split(', ') ?? [],
  }))
  const metrics = computeMetrics(rows, allLabels, { labelSet: 'truth' })
  const names = ['precision', 'recall', 'sensitivity', 'specificity', 'f1', 'accuracy'] as const
  const result = oracle.reference_evaluation_py.result

  test('agrees with evaluation.py for every dataset and domain, and overall', () => {
    const seen = new Set<string>()
    const compare = (prefix: string, got: Record<(typeof names)[number], number>): void => {
      for (const name of names) {
        expect(got[name], `${prefix}/${name}`).toBeCloseTo(result[`${prefix}/${name}`] ?? Number.NaN, 9)
        seen.add(`${prefix}/${name}`)
      }
    }
    for (const [dataset, got] of Object.entries(metrics.datasets)) compare(`${got.domain}/${dataset}`, got)
    for (const [domain, got] of Object.entries(metrics.domains)) compare(domain, got)
    compare('val', metrics.overall)
    expect([...seen].toSorted()).toEqual(Object.keys(result).toSorted())
  })
})

function rowsOf(item: { dataset: string; domain: string; truths: string[][]; predictions: string[][] }): MetricRow[] {
  const { dataset, domain } = item
  return item.truths.map((truth, index) => ({ dataset, domain, truth, predicted: item.predictions[index]! }))
}

/** Lists the numbers of `want` that `got` misses by more than 1e-9; the fixture writes NaN as "NaN" or null. */
function misses(got: object | undefined, want: object): string[] {
  return Object.entries(want).flatMap(([name, value]) => {
    const found = Number((got as Record<string, unknown>)[name]) // read by name, compared below
    const isNear = value === 'NaN' || value === null ? Number.isNaN(found) : Math.abs(found - value) <= 1e-9
    return isNear ? [] : [`${name}: ${found} is not ${value}`]
  })
}

interface Paper {
  per_label: Record<string, Record<string, number>>
  balanced_accuracy_eq12: number
  macro_f1_eq13: number
  macro_sensitivity: number
  macro_specificity: number
  exact_match: number
}

interface SklearnMultilabel {
  macro_f1: number
  micro_f1: number
  weighted_f1: number
  samples_f1: number
  hamming_loss: number
  per_label_mcc: number[]
  per_label_kappa: number[]
}

interface OracleDataset {
  domain: string
  dataset: string
  labels: string[]
  predictions: string[][]
  truths: string[][]
  paper: Paper
  sklearn_multilabel?: SklearnMultilabel
  sklearn: SklearnMultilabel
  sklearn_multiclass?: {
    y_true: number[]
    y_pred: number[]
    balanced_accuracy_score: number
    kappa: number
    confusion: number[][]
  }
  bootstrap?: {
    indices: number[][]
    balanced_accuracy: number[]
    macro_f1: number[]
    ci95_linear: { balanced_accuracy: number[]; macro_f1: number[] }
    se_ddof1: number[]
  }
}

interface Aggregate {
  domain: Record<string, number>
  overall_eq15: number
  overall_without_ecg_8_domains: number
}

interface Oracle {
  datasets: OracleDataset[]
  edge_cases: (Omit<OracleDataset, 'domain' | 'dataset'> & { name: string })[]
  aggregate: { balanced_accuracy_eq12: Aggregate; macro_f1_eq13: Aggregate; exact_match: Aggregate }
  los_ihm: {
    los_days: number[]
    y_true: number[]
    y_pred: number[]
    accuracy_eq16: number
    macro_f1_eq17: number
    ihm_true: number[]
    ihm_pred: number[]
    accuracy_eq18: number
    f1_eq19: number
    ihm_mcc: number
    ihm_confusion_tn_fp_fn_tp: number[]
  }[]
  reference_evaluation_py: {
    rows: { prediction: string; truth: string; data_source: string; dataset: string }[]
    result: Record<string, number>
  }
}

import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import { describe, expect, test } from 'vitest'
import { computeMetrics, metricIntervals, type MetricRow, pairedDifferences } from '../index.ts'

const labels = { a: ['x', 'y'], b: ['x', 'y'], c: ['x', 'y', 'z'] }

/** Rows of three datasets in two domains, right with the given share. */
function someRows(count: number, rightShare: number, seed: number): MetricRow[] {
  const generator = xoroshiro128plus(seed)
  const random = (): number => (generator.next() >>> 0) / 2 ** 32
  return Array.from({ length: count }, (_, index) => {
    const dataset = ['a', 'b', 'c'][index % 3]!
    const truth = random() < 0.5 ? 'x' : 'y'
    const other = truth === 'x' ? 'y' : 'x'
    const domain = dataset === 'c' ? 'mri' : 'ct'
    return { dataset, domain, truth: [truth], predicted: [random() < rightShare ? truth : other] }
  })
}

function exactMatchWidth(rows: MetricRow[]): number {
  const { lower, upper } = metricIntervals(rows, labels).overall.exactMatch
  return upper - lower
}

describe('metricIntervals', () => {
  const rows = someRows(600, 0.8, 1)

  test('holds every point value inside its interval, tighter overall than in a dataset', () => {
    const [point, interval] = [computeMetrics(rows, labels), metricIntervals(rows, labels)]
    const { lower, upper } = interval.overall.f1
    expect(lower).toBeLessThan(point.overall.f1)
    expect(upper).toBeGreaterThan(point.overall.f1)
    const { lower: low, upper: high } = interval.datasets['a']!.f1
    expect(upper - lower).toBeLessThan(high - low)
    expect(Object.keys(interval.domains)).toEqual(['ct', 'mri'])
  })

  test('has the width of a binomial share', () => {
    // Standard error of a share p of n rows: sqrt(p (1 - p) / n).
    const interval = metricIntervals(rows, labels, { resamples: 4000 }).datasets['a']!.exactMatch
    const share = computeMetrics(rows, labels).datasets['a']!.exactMatch
    const width = 2 * 1.96 * Math.sqrt((share * (1 - share)) / 200)
    expect((interval.upper - interval.lower) / width).toBeCloseTo(1, 1)
  })

  test('gives the same bits for the same seed and others for another', () => {
    expect(metricIntervals(rows, labels, { seed: 3 })).toEqual(metricIntervals(rows, labels, { seed: 3 }))
    expect(metricIntervals(rows, labels, { seed: 3 })).not.toEqual(metricIntervals(rows, labels, { seed: 4 }))
  })

  test('is wider where rows of a patient are drawn together', () => {
    const copies = rows.flatMap((row, index) => Array.from({ length: 4 }, () => ({ ...row, patientId: `p${index}` })))
    const loose = rows.flatMap(row => [row, row, row, row])
    // Four copies of every row hold no more information than one: about twice the width of independent rows.
    expect(exactMatchWidth(copies) / exactMatchWidth(loose)).toBeCloseTo(2, 0)
  })

  test.for([
    { options: { resamples: 0 }, message: 'resamples is 0, which is outside the positive integers.' },
    { options: { resamples: 1.5 }, message: 'resamples is 1.5, which is outside the positive integers.' },
    { options: { level: 1 }, message: 'level is 1, which is outside (0, 1).' },
  ])('refuses $options', ({ options, message }) => {
    const error = expect.objectContaining({ code: 'EVAL_VALUE_OUT_OF_RANGE', message })
    expect(() => metricIntervals(rows, labels, options)).toThrow(error)
  })

  test('refuses no rows', () => {
    expect(() => metricIntervals([], labels)).toThrow(/no rows to compute intervals/)
  })
})

describe('pairedDifferences', () => {
  const first = someRows(600, 0.8, 1)

  test('finds nothing between a run and itself', () => {
    const { overall } = pairedDifferences(first, first, labels)
    expect(overall.accuracy).toEqual({
      observed: 0,
      mean: 0,
      lower: 0,
      upper: 0,
      pValue: 1,
      adjustedP: 1,
      detectable: NaN,
      isAtFloor: false,
    })
  })

  test('finds a difference that is there, with its sign', () => {
    const worse = first.map((row, index) => (index % 10 === 0 ? { ...row, predicted: [] } : row))
    const { overall, datasets } = pairedDifferences(first, worse, labels)
    expect(overall.accuracy.upper).toBeLessThan(0)
    expect(overall.accuracy.pValue).toBeLessThan(0.01)
    expect(Object.keys(datasets)).toEqual(['a', 'b', 'c'])
  })

  test('refuses runs over different rows', () => {
    expect(() => pairedDifferences(first, first.slice(1), labels)).toThrow(/rows of the two runs differ in length/)
    const moved = first.map((row, index) => (index === 0 ? { ...row, dataset: 'b' } : row))
    expect(() => pairedDifferences(first, moved, labels)).toThrow(/rows of one dataset differ in length: 200 and 199/)
  })
})

const rowOf = (patient: number, right: boolean) => ({
  dataset: 'edge',
  domain: 'ct',
  truth: ['A'],
  predicted: [right ? 'A' : 'B'],
  patientId: `p${patient}`,
})

describe('intervals at the edge', () => {
  const lists = { edge: ['A', 'B'] }
  const ten = Array.from({ length: 10 }, (_, patient) => rowOf(patient, true))

  test('are Wilson intervals over patients for a share, and none for other metrics, where all is right', () => {
    const { overall, datasets } = metricIntervals([...ten, ...ten], lists)
    expect(overall.exactMatch).toMatchObject({ lower: expect.closeTo(0.72247, 5), upper: 1, method: 'wilson' })
    expect(datasets['edge']?.accuracy).toEqual({ lower: NaN, upper: NaN, method: 'none' })
  })

  test('are Wilson intervals where all is wrong', () => {
    const wrong = ten.map((_row, patient) => rowOf(patient, false))
    const { exactMatch } = metricIntervals(wrong, lists).overall
    expect(exactMatch).toMatchObject({ lower: 0, upper: expect.closeTo(0.27753, 5), method: 'wilson' })
  })

  test('cannot be drawn for few patients, however many rows they have', () => {
    const rows = Array.from({ length: 40 }, (_, i) => rowOf(i % 4, i % 3 > 0))
    expect(metricIntervals(rows, lists).overall.f1.method).toBe('none')
    expect(metricIntervals([...rows, rowOf(9, false)], lists).overall.f1.method).toBeUndefined()
  })

  test('say that p is at its floor, and draw no interval of one constant difference', () => {
    const wrong = ten.map((_row, patient) => rowOf(patient, false))
    const { exactMatch } = pairedDifferences(wrong, ten, lists, { resamples: 99 }).overall
    expect(exactMatch).toEqual({
      observed: 1,
      mean: 1,
      lower: NaN,
      upper: NaN,
      method: 'none',
      pValue: 0.02,
      adjustedP: 0.02,
      detectable: NaN,
      isAtFloor: true,
    })
  })

  test('say of three patients no more than a sign test can', () => {
    const wrong = ten.map((_row, patient) => rowOf(patient, false))
    const { exactMatch } = pairedDifferences(wrong.slice(0, 3), ten.slice(0, 3), lists).overall
    // SciPy: binomtest(3, 3).pvalue
    expect(exactMatch).toMatchObject({ mean: 1, method: 'none', pValue: 0.25, isAtFloor: true })
    const mixed = [rowOf(0, true), rowOf(1, false), rowOf(2, true)]
    expect(pairedDifferences(wrong.slice(0, 3), mixed, lists).overall.exactMatch.lower).toBeNaN()
  })
})

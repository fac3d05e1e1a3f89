// Speed of the metrics: node --conditions=@qoq-med/source packages/eval/bench/metrics.bench.ts
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import { computeMetrics, countOutcomes, encodeOutcomes, metricIntervals, type MetricRow } from '../src/index.ts'

const [numRows, numLabels] = [100_000, 14]
const generator = xoroshiro128plus(7)
const random = (): number => (generator.next() >>> 0) / 2 ** 32
const list = Array.from({ length: numLabels }, (_, i) => `finding ${i}`)
const someLabels = (share: number): string[] => list.filter(() => random() < share)

/** As dense as chest X-ray sets are: about two true and two predicted findings per row. */
const rows: MetricRow[] = Array.from({ length: numRows }, () => ({
  dataset: 'cxr',
  domain: 'chest_xray',
  truth: someLabels(0.15),
  predicted: someLabels(0.15),
}))
const labels = { cxr: list }

function bestMs(repeats: number, work: () => unknown): number {
  let best = Infinity
  for (let i = 0; i < repeats; i++) {
    const start = performance.now()
    work()
    best = Math.min(best, performance.now() - start)
  }
  return best
}

const outcomes = encodeOutcomes(rows, list)
console.log(`label counts from indicators       ${bestMs(10, () => countOutcomes(outcomes)).toFixed(1)} ms`)
console.log(
  `all metrics from rows              ${bestMs(10, () => computeMetrics(rows, labels)).toFixed(1)} ms  (target 30)`,
)
const ofPatients = rows.map((row, index) => ({ ...row, patientId: `p${Math.floor(index / 3.4)}` }))
const clustered = bestMs(2, () => metricIntervals(ofPatients, labels))
console.log(`bootstrap x 1,000, 29,412 patients ${clustered.toFixed(0)} ms  (target 800)`)
console.log(`bootstrap x 1,000, by row          ${bestMs(1, () => metricIntervals(rows, labels)).toFixed(0)} ms`)

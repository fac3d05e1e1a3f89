import { computeMetrics, metricIntervals } from '@qoq-med/eval'
import { z } from 'zod'
import { seededRandom } from '../base/seeded-random.ts'
import type { Measurement } from '../base/measurement.ts'

const Options = z.object({ rows: z.int(), labels: z.int(), rowsPerPatient: z.number(), intervals: z.boolean() })

/** All metrics of multi-label rows, about two true and two predicted labels each; or their bootstrap intervals by patient. */
export function metrics(options: unknown): Measurement {
  const { rows, labels, rowsPerPatient, intervals } = Options.parse(options)
  const random = seededRandom(7)
  const list = Array.from({ length: labels }, (_, i) => `finding ${i}`)
  const some = (): string[] => list.filter(() => random() < 0.15)
  const judged = Array.from({ length: rows }, (_, i) => ({
    dataset: 'cxr',
    domain: 'chest_xray',
    truth: some(),
    predicted: some(),
    patientId: `p${Math.floor(i / rowsPerPatient)}`,
  }))
  return {
    round: () => {
      if (intervals) metricIntervals(judged, { cxr: list })
      else computeMetrics(judged, { cxr: list })
      return undefined
    },
  }
}

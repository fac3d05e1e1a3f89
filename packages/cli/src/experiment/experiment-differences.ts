import path from 'node:path'
import type { MetricRow, PairedDifference } from '@qoq-med/eval'
import type { ExperimentJob } from './experiment-jobs.ts'
import { readEvaluation } from './experiment-results.ts'

/**
 * Second minus first in macro-F1: the answers of all pairs lie together, and a patient is redrawn with all of them. A pair is
 * two jobs of one seed, or the one warm start and a job of any seed.
 */
export type ArmDifference = (pairs: readonly (readonly [ExperimentJob, ExperimentJob])[]) => PairedDifference

/** Reads the answers of finished jobs, for differences with intervals over patients. */
export async function differencesOf(out: string, jobs: readonly ExperimentJob[]): Promise<ArmDifference> {
  const { metricRow, pairedDifferences, readSampleLog } = await import('@qoq-med/eval')
  const answers = new Map<string, readonly MetricRow[]>()
  const labels: Record<string, readonly string[]> = {}
  for (const { id } of jobs) {
    const records = [...(await readSampleLog(path.join(out, id, 'eval', 'samples.jsonl'))).values()]
    answers.set(id, records.toSorted((a, b) => (a.sampleId < b.sampleId ? -1 : 1)).map(metricRow))
    const { metrics } = await readEvaluation(out, id)
    for (const [dataset, { perLabel }] of Object.entries(metrics.datasets)) labels[dataset] = Object.keys(perLabel)
  }
  const rowsOf = (own: readonly ExperimentJob[]): MetricRow[] => own.flatMap(({ id }) => answers.get(id) ?? [])
  return pairs =>
    pairedDifferences(rowsOf(pairs.map(([first]) => first)), rowsOf(pairs.map(([, second]) => second)), labels).overall
      .f1
}

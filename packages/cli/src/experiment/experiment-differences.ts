import path from 'node:path'
import type { MetricRow, PairedDifference } from '@qoq-med/eval'
import type { ExperimentJob } from './experiment-jobs.ts'

/**
 * Second minus first in macro-F1 over what both answered: the answers of all seeds lie together, and a patient is redrawn with
 * all of them. Pairs are jobs of one seed, or of any seed and the one warm start.
 */
export type ArmDifference = (pairs: readonly (readonly [ExperimentJob, ExperimentJob])[]) => PairedDifference

/** Reads the answers of finished jobs, for differences with intervals over patients. */
export async function differencesOf(out: string, jobs: readonly ExperimentJob[]): Promise<ArmDifference> {
  const { metricRow, pairedDifferences, readSampleLog } = await import('@qoq-med/eval')
  const answers = new Map<string, readonly MetricRow[]>()
  for (const { id } of jobs) {
    const records = [...(await readSampleLog(path.join(out, id, 'eval', 'samples.jsonl'))).values()]
    answers.set(id, records.toSorted((a, b) => (a.sampleId < b.sampleId ? -1 : 1)).map(metricRow))
  }
  const labels = labelsOf([...answers.values()].flat())
  const rowsOf = (own: readonly ExperimentJob[]): MetricRow[] => own.flatMap(({ id }) => answers.get(id) ?? [])
  return pairs =>
    pairedDifferences(rowsOf(pairs.map(([first]) => first)), rowsOf(pairs.map(([, second]) => second)), labels).overall
      .f1
}

/** The true labels of every dataset. */
function labelsOf(rows: readonly MetricRow[]): Record<string, string[]> {
  const labels: Record<string, Set<string>> = {}
  for (const { dataset, truth } of rows) {
    const own = (labels[dataset] ??= new Set())
    for (const label of truth) own.add(label)
  }
  return Object.fromEntries(Object.entries(labels).map(([dataset, own]) => [dataset, [...own].toSorted()]))
}

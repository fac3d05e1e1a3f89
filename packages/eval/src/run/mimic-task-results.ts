import { mortalityMetrics, type StayClass, stayClasses, stayMetrics, type TaskMetrics } from '../metrics/mimic-tasks.ts'
import type { SampleRecord } from './sample-log.ts'

/** What a record says to a task: its true and predicted labels. */
type TaskRow = Pick<SampleRecord, 'dataset' | 'truth' | 'predicted'>

/** The tasks of RQ2 (D.3) by the dataset that asks them. */
const tasks: Readonly<Record<string, (rows: readonly TaskRow[]) => TaskMetrics>> = {
  mimic_iv_los: rows =>
    stayMetrics(
      rows.map(({ truth }) => stayOf(truth[0]) ?? 'A'), // a sample of this dataset has one of the four classes
      rows.map(({ predicted }) => (predicted.length === 1 ? stayOf(predicted[0]) : undefined)),
    ),
  mimic_iv_48ihm: rows =>
    mortalityMetrics(
      rows.map(({ truth }) => isPositive(truth[0]) === true),
      rows.map(({ predicted }) => (predicted.length === 1 ? isPositive(predicted[0]) : undefined)),
    ),
}

/**
 * Computes the paper's metrics of the MIMIC-IV tasks (eqs. 16-19) where their datasets are among the rows. A response
 * with no class, or with several, is wrong.
 */
export function mimicTaskResults(rows: readonly TaskRow[]): Record<string, TaskMetrics> {
  const found = Object.entries(tasks).flatMap(([dataset, metricsOf]) => {
    const own = rows.filter(row => row.dataset === dataset)
    return own.length === 0 ? [] : [[dataset, metricsOf(own)] as const]
  })
  return Object.fromEntries(found)
}

/** The class letter that the dataset's labels begin with. */
function stayOf(label: string | undefined): StayClass | undefined {
  return stayClasses.find(letter => label === letter || label?.startsWith(`${letter}:`))
}

function isPositive(label: string | undefined): boolean | undefined {
  if (label?.startsWith('positive')) return true
  return label?.startsWith('negative') ? false : undefined
}

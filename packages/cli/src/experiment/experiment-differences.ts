import path from 'node:path'
import type { MetricRow, PairedDifference } from '@qoq-med/eval'
import { baselineArm, warmStart } from './experiment-arms.ts'
import type { ExperimentJob } from './experiment-jobs.ts'
import { readEvaluation } from './experiment-results.ts'
import type { ExperimentPreset } from './experiment-settings.ts'

/** What an arm has more of macro-F1 than another, with an interval over patients. */
export interface ArmDifference extends PairedDifference {
  readonly preset: ExperimentPreset
  /** Ids of the arms: `arm` minus `minus`. */
  readonly arm: string
  readonly minus: string
}

/**
 * Compares every arm with the warm start and with GRPO over the answers of all seeds: they lie together, and a patient is
 * redrawn with all of them. GRPO is compared by seed; the warm start is the same for all.
 *
 * @param jobs finished ones
 */
export async function measureDifferences(out: string, jobs: readonly ExperimentJob[]): Promise<ArmDifference[]> {
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
  return comparisons(jobs).map(({ pairs, ...names }) => {
    const [others, own] = [pairs.map(([other]) => other), pairs.map(([, one]) => one)]
    return { ...names, ...pairedDifferences(rowsOf(others), rowsOf(own), labels).overall.f1 }
  })
}

interface Comparison extends Pick<ArmDifference, 'preset' | 'arm' | 'minus'> {
  /** The other job and the arm's, one pair per seed that has both. */
  readonly pairs: readonly (readonly [ExperimentJob, ExperimentJob])[]
}

function comparisons(jobs: readonly ExperimentJob[]): Comparison[] {
  const trainings = jobs.filter(({ arm }) => arm.id !== warmStart.id)
  const groups = Object.values(Object.groupBy(trainings, ({ preset, arm }) => `${preset} ${arm.id}`))
  return groups.flatMap((own = []) =>
    [warmStart.id, baselineArm].flatMap(minus => {
      const { preset, arm } = own[0]! // a group has at least one
      const pairs = own.flatMap(job => {
        const isOther = ({ preset: clinic, seed, arm: { id } }: ExperimentJob): boolean =>
          clinic === preset && id === minus && (minus === warmStart.id || seed === job.seed)
        const other = jobs.find(isOther)
        return other === undefined ? [] : [[other, job] as const]
      })
      return arm.id === minus || pairs.length === 0 ? [] : [{ preset, arm: arm.id, minus, pairs }]
    }),
  )
}

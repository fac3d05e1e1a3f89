import path from 'node:path'
import type { MetricRow, SeededDifference } from '@qoq-med/eval'
import { warmStart } from './experiment-arm.ts'
import type { ExperimentDefinition, ExperimentPreset } from './experiment-definition.ts'
import type { ExperimentJob } from './experiment-jobs.ts'
import { readEvaluation } from './experiment-results.ts'

/** What an arm has more of macro-F1 than another, mean over seeds, with an interval over seeds and patients. */
export interface ArmDifference extends SeededDifference {
  readonly preset: ExperimentPreset
  /** Ids of the arms: `arm` minus `minus`. */
  readonly arm: string
  readonly minus: string
}

/**
 * Compares every arm with its warm start and with the baseline, seed by seed.
 *
 * @param jobs finished ones
 */
export async function measureDifferences(
  definition: ExperimentDefinition,
  out: string,
  jobs: readonly ExperimentJob[],
): Promise<ArmDifference[]> {
  const { metricRow, readSampleLog, seededDifference } = await import('@qoq-med/eval')
  const answers = new Map<string, readonly MetricRow[]>()
  const labels: Record<string, readonly string[]> = {}
  for (const { id } of jobs) {
    const records = [...(await readSampleLog(path.join(out, id, 'eval', 'samples.jsonl'))).values()]
    answers.set(id, records.toSorted((a, b) => (a.sampleId < b.sampleId ? -1 : 1)).map(metricRow))
    const { metrics } = await readEvaluation(out, id)
    for (const [dataset, { perLabel }] of Object.entries(metrics.datasets)) labels[dataset] = Object.keys(perLabel)
  }
  const rowsOf = (own: readonly ExperimentJob[]) => own.map(({ id }) => answers.get(id) ?? [])
  return comparisons(definition, jobs).map(({ pairs, ...names }) => {
    const [others, own] = [pairs.map(([other]) => other), pairs.map(([, one]) => one)]
    return { ...names, ...seededDifference(rowsOf(others), rowsOf(own), labels) }
  })
}

interface Comparison extends Pick<ArmDifference, 'preset' | 'arm' | 'minus'> {
  /** The other job and the arm's, one pair per seed that has both. */
  readonly pairs: readonly (readonly [ExperimentJob, ExperimentJob])[]
}

function comparisons({ baseline }: ExperimentDefinition, jobs: readonly ExperimentJob[]): Comparison[] {
  const trainings = jobs.filter(({ arm }) => arm.id !== warmStart.id)
  const groups = Object.values(Object.groupBy(trainings, ({ preset, arm }) => `${preset} ${arm.id}`))
  return groups.flatMap((own = []) =>
    [warmStart.id, baseline].flatMap(minus => {
      const { preset, arm } = own[0]! // a group has at least one
      const pairs = own.flatMap(job => {
        const isOther = ({ id, preset: clinic, seed, arm: other }: ExperimentJob): boolean =>
          minus === warmStart.id ? id === job.needs : clinic === preset && other.id === minus && seed === job.seed
        const other = jobs.find(isOther)
        return other === undefined ? [] : [[other, job] as const]
      })
      return arm.id === minus || pairs.length === 0 ? [] : [{ preset, arm: arm.id, minus, pairs }]
    }),
  )
}

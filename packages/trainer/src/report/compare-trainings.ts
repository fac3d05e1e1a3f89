import { mean, meansByName } from '../means.ts'
import { requireRun } from './run-facts.ts'
import { readMetrics, type MetricsLine } from './run-log.ts'

/** What one training run reached in a stage. */
export interface ComparedStage {
  /** As the comparison names the run. */
  readonly run: string
  readonly algorithm: string
  readonly steps: number
  /** Seconds of its steps. */
  readonly seconds: number
  /** What the stage tells of every step. */
  readonly measure: 'reward' | 'loss'
  /** Its mean over the first and the last tenth of the steps; NaN where no step tells it. */
  readonly firstTenth: number
  readonly lastTenth: number
  /** The reward of each domain over the last tenth. */
  readonly rewardByDomain: Readonly<Record<string, number>>
  /** Accuracy of the last validation, the mean over domains where there are several. */
  readonly accuracy?: number
  /** Largest difference of a token's log-probability between sampler and trainer. */
  readonly logprobGap?: number
}

/** Training runs beside one another. */
export interface TrainingComparison {
  readonly runs: readonly { readonly name: string; readonly folder: string }[]
  /** Stages by name, in the order of the first run that has them; each with the runs that have it. */
  readonly stages: Readonly<Record<string, readonly ComparedStage[]>>
}

/**
 * Puts training runs beside one another, stage by stage. What one run earned more than another says nothing of chance: runs of
 * several seeds, or `qoq compare` of evaluations, do.
 *
 * @param folders run folders; a run that is still going, or was stopped, counts as far as it is
 * @throws TRAINER_NO_RUN when a folder holds no run
 */
export async function compareTrainings(folders: readonly string[]): Promise<TrainingComparison> {
  const facts = await Promise.all(folders.map(requireRun))
  const isTaken = (name: string): boolean => facts.filter(each => each.name === name).length > 1
  // Runs of one configuration are told apart by their folders.
  const runs = folders.map((folder, i) => ({ name: isTaken(facts[i]!.name) ? folder : facts[i]!.name, folder }))
  const logs = await Promise.all(folders.map(readMetrics))
  const names = [...new Set(logs.flatMap(lines => lines.map(({ stage }) => stage)))]
  const stages = names.map(name => {
    const compared = runs.flatMap(({ name: run }, i) =>
      stageOf(
        run,
        logs[i]!.filter(({ stage }) => stage === name),
      ),
    )
    return [name, compared] as const
  })
  return { runs, stages: Object.fromEntries(stages) }
}

function stageOf(run: string, lines: readonly MetricsLine[]): ComparedStage[] {
  const steps = lines.filter(({ type }) => type === undefined)
  if (steps.length === 0) return []
  const tenth = Math.max(1, Math.floor(steps.length / 10))
  const [first, last] = [steps.slice(0, tenth), steps.slice(-tenth)]
  const measure = steps.some(line => line['reward'] !== undefined) ? 'reward' : 'loss'
  const validation = lines.findLast(({ type }) => type === 'validation')
  const accuracy = numbers([validation?.['overall'], validation?.['accuracy']])[0]
  const gaps = numbers(steps.map(line => line['logprobGap']))
  return [
    {
      run,
      algorithm: steps[0]?.algorithm ?? '',
      steps: steps.length,
      seconds: steps.reduce((sum, { seconds }) => sum + seconds, 0),
      measure,
      firstTenth: meanOf(first, measure),
      lastTenth: meanOf(last, measure),
      rewardByDomain: meansByName(last.map(line => byDomain(line['rewardByDomain']))),
      ...(accuracy !== undefined && { accuracy }),
      ...(gaps.length > 0 && { logprobGap: Math.max(...gaps) }),
    },
  ]
}

function meanOf(lines: readonly MetricsLine[], measure: string): number {
  const values = numbers(lines.map(line => line[measure]))
  return values.length === 0 ? Number.NaN : mean(values)
}

function numbers(values: readonly unknown[]): number[] {
  return values.flatMap(value => (typeof value === 'number' ? [value] : []))
}

function byDomain(value: unknown): Record<string, number> {
  if (typeof value !== 'object' || value === null) return {}
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, inner]: [string, unknown]) =>
      typeof inner === 'number' ? [[name, inner]] : [],
    ),
  )
}

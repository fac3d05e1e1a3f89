import path from 'node:path'
import { experimentArms, warmStart, type ExperimentArm } from './experiment-arms.ts'
import type { ExperimentPreset, ExperimentSettings } from './experiment-settings.ts'

/** One training with its evaluation. */
export interface ExperimentJob {
  readonly preset: ExperimentPreset
  readonly seed: number
  readonly arm: ExperimentArm
  /** `<preset>/seed-<seed>/<arm>` below the experiment's folder. */
  readonly id: string
  /** The job whose model this one goes on from. */
  readonly needs?: string
}

/** Every job of an experiment: for every clinic the one warm start that all arms go on from, then the arms, seed by seed. */
export function experimentJobs({ seeds }: ExperimentSettings, presets: readonly ExperimentPreset[]): ExperimentJob[] {
  const numbers = Array.from({ length: seeds }, (_, i) => i + 1)
  const warmStarts = presets.map(preset => ({ preset, seed: 1, arm: warmStart, id: idOf(preset, 1, warmStart) }))
  const trainings = numbers.flatMap(seed =>
    presets.flatMap(preset =>
      experimentArms
        .filter(arm => preset === 'imbalanced' || arm.inBalanced)
        .map(arm => ({ preset, seed, arm, id: idOf(preset, seed, arm), needs: idOf(preset, 1, warmStart) })),
    ),
  )
  return [...warmStarts, ...trainings]
}

function idOf(preset: ExperimentPreset, seed: number, { id }: ExperimentArm): string {
  return path.posix.join(preset, `seed-${seed}`, id)
}

/** What `runJobs` tells after a job has begun or ended. */
export interface JobProgress {
  readonly done: number
  readonly total: number
  readonly running: readonly string[]
}

/**
 * Runs jobs, several at a time, each after the one it needs. After a failure nothing new begins, what runs is awaited, and
 * the first failure is thrown.
 *
 * @param atOnce jobs that run together
 */
export async function runJobs(
  jobs: readonly ExperimentJob[],
  run: (job: ExperimentJob) => Promise<void>,
  { atOnce, onProgress }: { readonly atOnce: number; readonly onProgress?: (progress: JobProgress) => void },
): Promise<void> {
  const waiting = [...jobs]
  const done = new Set<string>()
  const running = new Map<string, Promise<void>>()
  const failures: unknown[] = []
  const tell = () => onProgress?.({ done: done.size, total: jobs.length, running: [...running.keys()] })
  const isReady = ({ needs }: ExperimentJob): boolean => needs === undefined || done.has(needs)
  while (running.size > 0 || (failures.length === 0 && waiting.some(isReady))) {
    while (failures.length === 0 && running.size < atOnce) {
      const next = waiting.findIndex(isReady)
      if (next === -1) break
      const [job] = waiting.splice(next, 1)
      if (job === undefined) break
      const work = run(job)
        .then(() => void done.add(job.id))
        .catch((error: unknown) => void failures.push(error))
        .finally(() => running.delete(job.id))
      running.set(job.id, work)
      tell()
    }
    await Promise.race(running.values())
    tell()
  }
  if (failures.length > 0) throw failures[0]
}

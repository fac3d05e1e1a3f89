import path from 'node:path'
import { warmStart, type ExperimentArm } from './experiment-arm.ts'
import type { ExperimentDefinition, ExperimentPreset } from './experiment-definition.ts'

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

/** Every job of an experiment, seed by seed: the warm starts that are new with a seed, then the arms of every clinic. */
export function experimentJobs(
  { settings, arms, warmStarts }: ExperimentDefinition,
  presets: readonly ExperimentPreset[],
): ExperimentJob[] {
  const seeds = Array.from({ length: settings.seeds }, (_, i) => i + 1)
  const startOf = (seed: number): number => (warmStarts === 'by-seed' ? seed : 1)
  return seeds.flatMap(seed => [
    ...presets.flatMap(preset =>
      startOf(seed) === seed ? [{ preset, seed, arm: warmStart, id: idOf(preset, seed, warmStart) }] : [],
    ),
    ...presets.flatMap(preset =>
      arms
        .filter(arm => (preset === 'imbalanced' || arm.inBalanced) && seed <= (arm.seeds ?? settings.seeds))
        .map(arm => ({
          preset,
          seed,
          arm,
          id: idOf(preset, seed, arm),
          needs: idOf(preset, startOf(seed), warmStart),
        })),
    ),
  ])
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

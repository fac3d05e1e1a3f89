import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { SynthesiseOptions } from '@qoq-med/data-climb'
import { cliErrors } from '../errors.ts'
import { experimentJobs, runJobs, type ExperimentJob, type JobProgress } from './experiment-jobs.ts'
import { measureDifferences, type ArmDifference } from './experiment-differences.ts'
import { drawFigures } from './experiment-figures.ts'
import { renderExperiment } from './experiment-report.ts'
import { readResults, type JobResult } from './experiment-results.ts'
import { clinicOptions, judgedClinicOptions } from './experiment-configs.ts'
import type { ExperimentDefinition, ExperimentPreset, ExperimentSettings } from './experiment-definition.ts'
import { groupsFile, writeJudgedGroups } from './judged-groups.ts'
import { isFinished, judgedClinic, runJob, type RunQoq } from './run-job.ts'

/** Where and how an experiment runs. */
export interface ExperimentOptions {
  readonly out: string
  readonly presets: readonly ExperimentPreset[]
  /** Jobs that run together, one thread each. */
  readonly atOnce: number
  readonly runQoq: RunQoq
  readonly onProgress?: (progress: JobProgress) => void
}

/** What an experiment leaves. */
export interface ExperimentOutcome {
  readonly report: string
  readonly results: readonly JobResult[]
  readonly differences: readonly ArmDifference[]
}

/**
 * Runs a comparison on the mini clinic: simulates the clinics, trains and evaluates every arm with every seed,
 * and writes report.md with figures, after a stop of what is finished. Called again it goes on where it was.
 *
 * @throws CLI_EXPERIMENT_SETTINGS when the folder holds an experiment with other settings; CLI_EXPERIMENT_FAILED
 */
export async function runExperiment(
  definition: ExperimentDefinition,
  { out, presets, atOnce, runQoq, onProgress }: ExperimentOptions,
): Promise<ExperimentOutcome> {
  await mkdir(out, { recursive: true })
  await requireSameSettings(path.join(out, 'experiment.json'), definition.settings)
  for (const preset of presets)
    await simulateClinic(clinicOptions(definition, preset, path.join(out, `clinic-${preset}`)))
  await simulateClinic(judgedClinicOptions(definition, judgedClinic(out)))
  await writeJudgedGroups(definition, judgedClinic(out), groupsFile(out))
  const jobs = experimentJobs(definition, presets)
  try {
    await runJobs(jobs, job => runJob(job, definition, { out, runQoq }), { atOnce, ...(onProgress && { onProgress }) })
  } catch (error) {
    await writeReport(definition, jobs, out)
    throw error
  }
  return writeReport(definition, jobs, out)
}

/** Writes what the finished jobs say. */
async function writeReport(
  definition: ExperimentDefinition,
  jobs: readonly ExperimentJob[],
  out: string,
): Promise<ExperimentOutcome> {
  const finished = jobs.filter(job => isFinished(out, job))
  const results = await readResults(out, finished)
  const differences = await measureDifferences(definition, out, finished)
  const report = path.join(out, 'report.md')
  const figures = await drawFigures(definition, out, results)
  const text = renderExperiment(definition, results, { figures, differences, jobs: jobs.length })
  await writeFile(report, text)
  await writeFile(path.join(out, 'results.json'), JSON.stringify({ results, differences }, undefined, 2))
  return { report, results, differences }
}

async function requireSameSettings(file: string, settings: ExperimentSettings): Promise<void> {
  const text = JSON.stringify(settings, undefined, 2)
  const known = await readFile(file, 'utf8').catch(() => undefined)
  if (known === undefined) await writeFile(file, text)
  else if (known !== text) throw cliErrors.EXPERIMENT_SETTINGS({ folder: path.dirname(file) })
}

async function simulateClinic(options: SynthesiseOptions): Promise<void> {
  if (existsSync(options.dir)) return // it appears whole
  const { synthesise } = await import('@qoq-med/data-climb')
  await synthesise(options)
}

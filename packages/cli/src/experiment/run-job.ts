import { existsSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { ExperimentJob } from './experiment-jobs.ts'
import { armConfig, warmStartConfig } from './experiment-configs.ts'
import type { ExperimentDefinition } from './experiment-definition.ts'
import { groupsFile } from './judged-groups.ts'

/** Runs `qoq` with arguments in a process of its own. @throws CLI_EXPERIMENT_FAILED when it fails */
export type RunQoq = (args: readonly string[], job: string) => Promise<void>

/**
 * Trains and evaluates one job below an experiment's folder. What an earlier, stopped try has finished is kept: a training
 * goes on from its checkpoint, an evaluation from its answers, and a finished job is left as it is.
 */
export async function runJob(
  job: ExperimentJob,
  definition: ExperimentDefinition,
  { out, runQoq }: { readonly out: string; readonly runQoq: RunQoq },
): Promise<void> {
  const folder = path.join(out, job.id)
  if (isFinished(out, job)) return
  await mkdir(folder, { recursive: true })
  const clinic = path.join(out, `clinic-${job.preset}`)
  const run = path.join(folder, 'run')
  const model = path.join(run, 'model')
  if (!existsSync(model)) {
    const config = path.join(folder, 'config.yaml')
    await writeFile(config, JSON.stringify(configOf(job, definition, { clinic, out }), undefined, 2))
    const resume = existsSync(path.join(run, 'run.json')) ? ['--resume'] : []
    await runQoq(['train', config, '--out', run, ...resume], job.id)
  }
  const judges = judgedClinic(out)
  const data = definition.domains.flatMap(domain => ['--data', `mini_clinic_${domain}=${judges}`])
  const answers = [
    '--max-new-tokens',
    String(definition.settings.maxNewTokens),
    '--batch-size',
    '64',
    '--threads',
    '1',
    '--split',
    'all',
    '--subgroups',
    groupsFile(out),
  ]
  await runQoq(['eval', '--model', model, ...data, ...answers, '--out', path.join(folder, 'eval')], job.id)
  await rm(path.join(run, 'checkpoints'), { recursive: true, force: true })
}

/** The clinic whose patients judge every arm. */
export function judgedClinic(out: string): string {
  return path.join(out, 'clinic-judges')
}

/** Whether a job's evaluation is there. */
export function isFinished(out: string, { id }: ExperimentJob): boolean {
  return existsSync(path.join(out, id, 'eval', 'results.json'))
}

function configOf(
  { arm, seed, needs = '' }: ExperimentJob,
  definition: ExperimentDefinition,
  { clinic, out }: { readonly clinic: string; readonly out: string },
): unknown {
  if (arm.stage === undefined) return warmStartConfig(definition, seed, clinic)
  const warmStart = path.join(out, needs, 'run', 'model')
  return armConfig(definition, seed, { clinic, warmStart, stage: arm.stage })
}

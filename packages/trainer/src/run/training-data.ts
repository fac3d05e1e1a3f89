import { createHash } from 'node:crypto'
import { resolve } from 'node:path'
import { openDataset, type Sample } from '@qoq-med/data-climb'
import type { Stage, TrainConfig } from '../config/run-config.ts'
import { trainerErrors } from '../errors.ts'
import { makeClinic } from './run-clinic.ts'

/** The samples of a run: those that train, and all of them with a fingerprint. */
export interface TrainingData {
  readonly samples: readonly Sample[]
  /** Those that train and the others. */
  readonly all: readonly Sample[]
  /** sha256 over ids, splits, answers and questions. */
  readonly fingerprint: string
  /** Rows that were left out, by dataset. */
  readonly skipped: Readonly<Record<string, number>>
}

/**
 * Opens the sources of a configuration.
 *
 * @param baseFolder what relative roots are relative to: the folder of the configuration file
 * @param given samples that come from elsewhere; they stand first
 * @throws the DATA errors of `openDataset`
 */
export async function loadTrainingData(
  config: TrainConfig,
  baseFolder: string,
  given: readonly Sample[] = [],
): Promise<TrainingData> {
  const { data } = config
  await makeClinic(config, baseFolder)
  const all = [...given]
  const skipped: Record<string, number> = {}
  for (const { dataset, root, onError, boxReaders } of data.sources) {
    const from = { root: resolve(baseFolder, root), onError, ...(boxReaders && { boxReaders }) }
    const opened = await openDataset(dataset, from)
    all.push(...opened.samples)
    if (opened.problems.length > 0) skipped[dataset] = (skipped[dataset] ?? 0) + opened.problems.length
  }
  const hash = createHash('sha256')
  for (const { id, split, answer, question } of all) hash.update(JSON.stringify([id, split, answer, question]))
  const samples = all.filter(sample => data.splits.includes(sample.split))
  return { samples, all, fingerprint: hash.digest('hex'), skipped }
}

/** The samples that a stage validates on. @throws TRAINER_NO_SAMPLES */
export function validationSamples(stage: Stage, { all }: TrainingData): readonly Sample[] {
  const { domains, validate, name } = stage
  const chosen = all.filter(({ split, domain }) => split === validate?.split && (domains?.includes(domain) ?? true))
  if (chosen.length > 0) return chosen
  throw trainerErrors.NO_SAMPLES({ stage: name, filter: ` in the split ${validate?.split ?? ''} to validate on` })
}

/** The samples of a stage. @throws TRAINER_NO_SAMPLES when there are none, or none of a domain that it names */
export function stageSamples(stage: Stage, samples: readonly Sample[]): readonly Sample[] {
  const { domains, name } = stage
  const chosen = domains ? samples.filter(sample => domains.includes(sample.domain)) : samples
  const empty = domains?.find(domain => !chosen.some(sample => sample.domain === domain))
  if (chosen.length === 0 || empty !== undefined) {
    throw trainerErrors.NO_SAMPLES({ stage: name, filter: empty === undefined ? '' : ` in the domain ${empty}` })
  }
  return chosen
}

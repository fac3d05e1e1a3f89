import {
  domains as clinicalDomains,
  openSources,
  type Domain,
  type Sample,
  type SampleCollection,
  type SampleSelection,
  type SourceSpec,
} from '@qoq-med/data-climb'
import type { Stage, TrainConfig } from '../config/run-config.ts'
import type { Source } from '../config/source-fields.ts'
import { trainerErrors } from '../errors.ts'
import { makeClinic } from './run-clinic.ts'

/** The samples of a run, which are read when they are asked for. */
export interface TrainingData {
  /** Those that train and the others. */
  readonly all: SampleCollection
  /** Those that train. */
  readonly samples: SampleSelection
  /** sha256 over ids, splits, answers and questions. */
  readonly fingerprint: string
  /** Rows that were left out, by dataset or file. */
  readonly skipped: Readonly<Record<string, number>>
  /** Datasets of sources whose samples may be left out. */
  readonly skippable: ReadonlySet<string>
}

/**
 * Opens the sources of a configuration.
 *
 * @param baseFolder what relative paths are relative to: the folder of the configuration file
 * @param given samples that come from elsewhere; they stand first
 * @throws the DATA errors of `openSources`
 */
export async function loadTrainingData(
  config: TrainConfig,
  baseFolder: string,
  given: readonly Sample[] = [],
): Promise<TrainingData> {
  const { data, seed } = config
  await makeClinic(config, baseFolder)
  const all = await openSources([{ samples: given }, ...data.sources.map(specOf)], { baseFolder, seed })
  const skipped: Record<string, number> = {}
  const skippable = new Set<string>()
  for (const [i, source] of data.sources.entries()) {
    const rows = all.skipped[i + 1] ?? 0 // the given samples stand first
    const name = sourceName(source)
    if (rows > 0) skipped[name] = (skipped[name] ?? 0) + rows
    if (source.onError === 'skip') for (const dataset of all.datasetsOf(i + 1)) skippable.add(dataset)
  }
  return { all, samples: all.select({ splits: data.splits }), fingerprint: all.fingerprint, skipped, skippable }
}

/** What a source is called: its dataset or its file. */
export function sourceName({ dataset, index, jsonl }: Source): string {
  return dataset ?? jsonl ?? [index ?? ''].flat().join()
}

function specOf({ dataset, index, jsonl, root = '', onError, boxReaders, ...share }: Source): SourceSpec {
  const { weight, balanced, split, limit } = share
  const choice = {
    ...(weight !== undefined && { weight }),
    ...(balanced && { balanced }),
    ...(split && { split }),
    ...(limit !== undefined && { limit }),
  }
  if (index !== undefined) return { index, root, ...choice }
  if (jsonl !== undefined) return { jsonl, ...(root !== '' && { root }), ...choice }
  return { dataset: dataset ?? '', root, onError, ...(boxReaders && { boxReaders }), ...choice } // the schema wants one of the three
}

/** The samples that a stage validates on. @throws TRAINER_NO_SAMPLES */
export function validationSamples(stage: Stage, { all }: TrainingData): SampleSelection {
  const { domains, validate, name } = stage
  const chosen = all.select({ splits: validate ? [validate.split] : [], domains: knownDomains(domains) })
  if (chosen.length > 0) return chosen
  throw trainerErrors.NO_SAMPLES({ stage: name, filter: ` in the split ${validate?.split ?? ''} to validate on` })
}

/** The samples that a stage trains on. @throws TRAINER_NO_SAMPLES when there are none, or none of a domain that it names */
export function stageSamples(stage: Stage, { all, samples }: TrainingData, { data }: TrainConfig): SampleSelection {
  const { domains, name } = stage
  const chosen = domains ? all.select({ splits: data.splits, domains: knownDomains(domains) }) : samples
  const empty = domains?.find(domain => !new Set<string>(chosen.domains).has(domain))
  if (chosen.length === 0 || empty !== undefined) {
    throw trainerErrors.NO_SAMPLES({ stage: name, filter: empty === undefined ? '' : ` in the domain ${empty}` })
  }
  return chosen
}

function knownDomains(names: readonly string[] | undefined): readonly Domain[] | undefined {
  return names && clinicalDomains.filter(domain => names.includes(domain))
}

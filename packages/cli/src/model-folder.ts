import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import path from 'node:path'
import type { CommandInput } from './command-input.ts'
import { cliErrors } from './errors.ts'

/**
 * Finds the model that a person names: a model folder or a GGUF file as it stands, of a run folder the model that the run has
 * left, and of `owner/name` what was pulled.
 *
 * @throws CLI_RUN_WITHOUT_MODEL for a run that has not ended, with its last checkpoint, and what `modelPlace` throws
 */
export async function modelFolder(named: string, input: Pick<CommandInput, 'resolve' | 'env'>): Promise<string> {
  const { modelPlace } = await import('@qoq-med/data-climb')
  const given = await modelPlace(named, { base: input.resolve('.'), env: input.env })
  if (!existsSync(path.join(given, 'run.json')) || existsSync(path.join(given, 'config.json'))) return given
  const model = path.join(given, 'model')
  if (existsSync(model)) return model
  throw cliErrors.RUN_WITHOUT_MODEL({ folder: given, checkpoint: await lastCheckpointModel(given) })
}

async function lastCheckpointModel(run: string): Promise<string | undefined> {
  const parent = path.join(run, 'checkpoints')
  const places = (await readdir(parent).catch(() => [])).flatMap(name => {
    const match = /^stage-(\d+)-step-(\d+)$/.exec(name)
    return match ? [{ name, place: [Number(match[1]), Number(match[2])] as const }] : []
  })
  const last = places.toSorted((a, b) => a.place[0] - b.place[0] || a.place[1] - b.place[1]).at(-1)
  return last && path.join(parent, last.name, 'model')
}

/**
 * The datasets that a model was trained on, where it lies in the folder of the run that left it.
 *
 * @returns nothing where that is not known
 */
export async function trainedDatasets(model: string): Promise<readonly string[] | undefined> {
  const config = path.join(path.dirname(path.resolve(model)), 'config.yaml')
  if (!existsSync(config) || !existsSync(path.join(path.dirname(config), 'run.json'))) return undefined
  const { loadConfig } = await import('@qoq-med/trainer')
  // The model answers as well where its run was configured by another version.
  const known = await loadConfig(config).catch(() => undefined)
  if (known === undefined) return undefined
  const { data } = known
  const datasets = data.sources.flatMap(({ dataset }) => dataset ?? [])
  // What an index or a JSONL holds is not said here.
  return datasets.length > 0 && datasets.length === data.sources.length ? datasets : undefined
}

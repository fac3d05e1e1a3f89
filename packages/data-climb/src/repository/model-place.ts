import { existsSync } from 'node:fs'
import path from 'node:path'
import { dataErrors } from '../errors.ts'
import { modelsFolder, pulledModel, RepositoryCache } from './repository-cache.ts'
import { repositoryName } from './repository-name.ts'

/** A file of weights is no repository. */
const weightFile = /\.(gguf|safetensors|pth?|bin)$/i

/** Where a model is looked for. */
export interface ModelPlaceOptions {
  /** Folder that a path is relative to. */
  readonly base: string
  /** Default: that of this process. */
  readonly env?: Readonly<Record<string, string | undefined>>
}

/**
 * Finds the model that a person names: a path, or the name of a pulled repository, `owner/name` or `owner/name@revision`. Nothing is fetched.
 *
 * @returns an absolute path; of a pulled repository its folder or its only GGUF file
 * @throws DATA_MODEL_NOT_PULLED for what is no path here and was not pulled, DATA_REPOSITORY_FILES
 */
export async function modelPlace(given: string, { base, env }: ModelPlaceOptions): Promise<string> {
  const place = path.resolve(base, given)
  const name = existsSync(place) || weightFile.test(given) ? undefined : repositoryName(given)
  if (name === undefined) return place
  const folder = modelsFolder(env)
  const pulled = await new RepositoryCache(folder).find(name)
  if (pulled === undefined) throw dataErrors.MODEL_NOT_PULLED({ name: given, folder })
  return pulledModel(pulled)
}

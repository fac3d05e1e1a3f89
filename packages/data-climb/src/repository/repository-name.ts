import { dataErrors } from '../errors.ts'

/** A model repository of Hugging Face, and which state of it. */
export interface RepositoryName {
  /** `owner/name` */
  readonly repository: string
  /** Branch, tag or commit. */
  readonly revision: string
}

const part = String.raw`[A-Za-z0-9][\w.-]{0,95}`
const pattern = new RegExp(String.raw`^(?<repository>${part}/${part})(?:@(?<revision>[A-Za-z0-9][\w./-]{0,200}))?$`)

/** Reads `owner/name` or `owner/name@revision`. @returns nothing for another text, such as a path */
export function repositoryName(text: string): RepositoryName | undefined {
  const { repository, revision = 'main' } = pattern.exec(text)?.groups ?? {}
  if (repository === undefined || `${repository}/${revision}`.split('/').some(each => each.includes('..')))
    return undefined
  return { repository, revision }
}

/**
 * Reads `owner/name` or `owner/name@revision`.
 *
 * @throws DATA_OPTION_INVALID
 */
export function requireRepositoryName(text: string): RepositoryName {
  const name = repositoryName(text)
  if (name) return name
  throw dataErrors.OPTION_INVALID({ name: 'repository', value: text, range: 'owner/name or owner/name@revision' })
}

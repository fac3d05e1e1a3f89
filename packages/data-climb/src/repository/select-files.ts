import path from 'node:path'
import { dataErrors } from '../errors.ts'
import type { RepositoryFile } from './list-repository.ts'

/** What a model is made of, by default: weights, tables and texts that are data alone. Pickled files are not among them. */
const modelFiles = [
  '*.safetensors',
  '*.gguf',
  '*.json',
  '*.jinja',
  'merges.txt',
  'vocab.txt',
  'README.md',
  'LICENSE*',
  'NOTICE*',
]

/**
 * Chooses files of a repository: those that a model is made of, or those that patterns name (`*` is any run of characters, also of
 * folders). Beside a chosen GGUF file goes its vision tower, a file with `mmproj` in its name.
 *
 * @throws DATA_REPOSITORY_FILES when nothing is left, or several GGUF files of which one was meant
 */
export function selectFiles(
  repository: string,
  files: readonly RepositoryFile[],
  include: readonly string[] = [],
): RepositoryFile[] {
  const isChosen = matcher(include.length > 0 ? include : modelFiles)
  // Folders hold other copies of a model as a rule, but also the parts of large GGUF files.
  const isPlace = (name: string): boolean => include.length > 0 || !name.includes('/') || /\.gguf$/i.test(name)
  const chosen = files.filter(file => isPlace(file.path) && isChosen(file.path))
  if (chosen.length === 0)
    throw dataErrors.REPOSITORY_FILES({ repository, problem: `none of its files is chosen: ${namesOf(files)}` })
  if (include.length === 0 && !chosen.some(({ path: name }) => /\.(safetensors|gguf)$/i.test(name)))
    throw dataErrors.REPOSITORY_FILES({
      repository,
      problem: `it has weights neither in safetensors nor in GGUF, and pickled ones must be named: ${namesOf(files)}`,
    })
  const models = chosen.filter(isGguf)
  if (include.length === 0 && models.length > 1) {
    const names = models.map(file => path.posix.basename(file.path)).join(', ')
    throw dataErrors.REPOSITORY_FILES({
      repository,
      problem: `it holds ${models.length} GGUF files, of which one is meant: ${names}`,
    })
  }
  const towers = files.filter(isTower)
  if (models.length === 0 || (include.length > 0 && chosen.some(isTower))) return chosen
  const tower = towers.find(file => /f16/i.test(file.path) && !/bf16/i.test(file.path)) ?? towers[0]
  return [...chosen.filter(file => !isTower(file)), ...(tower ? [tower] : [])]
}

/** Whether a file is a language model in GGUF. */
export function isGguf({ path: name }: Pick<RepositoryFile, 'path'>): boolean {
  return /\.gguf$/i.test(name) && !isTower({ path: name })
}

/** The first names of a listing, for people. */
function namesOf(files: readonly RepositoryFile[]): string {
  const shown = files.slice(0, 20).map(file => file.path)
  return `${shown.join(', ')}${files.length > shown.length ? `, and ${files.length - shown.length} others` : ''}`
}

function isTower({ path: name }: Pick<RepositoryFile, 'path'>): boolean {
  return /\.gguf$/i.test(name) && /mmproj/i.test(path.posix.basename(name))
}

/** A pattern without a folder stands for files of any. */
function matcher(patterns: readonly string[]): (file: string) => boolean {
  const expressions = patterns.map(pattern => {
    const source = pattern
      .replace(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
      .replace(/\*+/g, '.*')
      .replaceAll('?', '.')
    return { isPath: pattern.includes('/'), expression: new RegExp(`^${source}$`, 's') }
  })
  return file =>
    expressions.some(({ isPath, expression }) => expression.test(isPath ? file : path.posix.basename(file)))
}

import { randomUUID } from 'node:crypto'
import { link, mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import path from 'node:path'
import { writeWhole } from '@qoq-med/whole-file'
import { z } from 'zod'
import type { Checksum } from '../download/fetch-file.ts'
import { dataErrors } from '../errors.ts'
import type { RepositoryFile } from './list-repository.ts'
import type { RepositoryName } from './repository-name.ts'
import { isGguf } from './select-files.ts'

/** A repository on disk. */
export interface PulledRepository extends RepositoryName {
  readonly commit: string
  readonly folder: string
  readonly files: readonly string[]
  readonly bytes: number
}

const recordFile = 'repository.json'
const Record = z.object({ revisions: z.record(z.string(), z.string().regex(/^[0-9a-f]{40}$/)) })

/** The folder of pulled models: QOQ_MODELS_DIR, else qoq-med/models in the user's cache folder (XDG_CACHE_HOME or ~/.cache). */
export function modelsFolder(env: Readonly<Record<string, string | undefined>> = process.env): string {
  return (
    env['QOQ_MODELS_DIR'] ?? path.join(env['XDG_CACHE_HOME'] ?? path.join(homedir(), '.cache'), 'qoq-med', 'models')
  )
}

/**
 * Repositories on disk: every file once, by its checksum, in `blobs`; every commit a folder of hard links to them. A revision is known
 * when all its files are there.
 */
export class RepositoryCache {
  readonly root: string

  constructor(root: string) {
    this.root = path.resolve(root)
  }

  /** Where a file's bytes are. */
  blob({ algorithm, hex }: Checksum): string {
    return path.join(this.root, 'blobs', `${algorithm}-${hex}`)
  }

  /** @throws DATA_PATH_UNSAFE for a path that leaves its folder */
  requirePaths(repository: string, files: readonly Pick<RepositoryFile, 'path'>[]): void {
    for (const { path: name } of files) requireInside(path.join(this.root, repository), name)
  }

  /** Files whose bytes are not there; of several with the same bytes one. */
  async missing(files: readonly RepositoryFile[]): Promise<RepositoryFile[]> {
    const byBlob = new Map<string, RepositoryFile>()
    for (const file of files) {
      const blob = this.blob(file.checksum)
      if ((await stat(blob).catch(() => undefined))?.size !== file.bytes) byBlob.set(blob, file)
    }
    return [...byBlob.values()]
  }

  /**
   * Gives files of a commit their names, and then the revision its commit.
   *
   * @throws DATA_PATH_UNSAFE
   */
  async add({ repository, revision }: RepositoryName, commit: string, files: readonly RepositoryFile[]): Promise<void> {
    const folder = this.#commitFolder(repository, commit)
    const places = files.map(file => ({ from: this.blob(file.checksum), to: requireInside(folder, file.path) }))
    for (const { from, to } of places) {
      await mkdir(path.dirname(to), { recursive: true })
      // A link of another name takes the place at once: a reader finds the old file or the new one.
      const temporary = path.join(this.root, 'blobs', `.${randomUUID()}`)
      await link(from, temporary)
      await rename(temporary, to)
      await rm(temporary, { force: true }) // two links to one file are left as they are by rename
    }
    const record = await this.#record(repository)
    const known: z.input<typeof Record> = { revisions: { ...record?.revisions, [revision]: commit } }
    await writeWhole(path.join(this.root, repository, recordFile), JSON.stringify(known, undefined, 1))
  }

  /** @returns nothing for a revision that was not pulled */
  async find({ repository, revision }: RepositoryName): Promise<PulledRepository | undefined> {
    const { revisions = {} } = (await this.#record(repository)) ?? {}
    const commit = Object.hasOwn(revisions, revision)
      ? revisions[revision]
      : Object.values(revisions).find(each => each === revision)
    return commit === undefined ? undefined : this.#describe({ repository, revision }, commit)
  }

  /** All that was pulled, by name. */
  async list(): Promise<PulledRepository[]> {
    const found: PulledRepository[] = []
    for (const owner of await foldersIn(this.root)) {
      for (const name of await foldersIn(path.join(this.root, owner))) {
        const repository = `${owner}/${name}`
        const record = await this.#record(repository)
        for (const [revision, commit] of Object.entries(record?.revisions ?? {}))
          found.push(await this.#describe({ repository, revision }, commit))
      }
    }
    return found
  }

  /** Drops a repository with all its revisions, and the bytes that no other one has. @returns bytes that were freed, or nothing when it is not there */
  async remove(repository: string): Promise<number | undefined> {
    if (!(await this.#record(repository))) return undefined
    await rm(path.join(this.root, repository), { recursive: true, force: true })
    const blobs = path.join(this.root, 'blobs')
    let freed = 0
    for (const name of await readdir(blobs).catch(() => [])) {
      const { nlink, size } = await stat(path.join(blobs, name))
      if (nlink > 1 || name.includes('.part')) continue
      await rm(path.join(blobs, name))
      freed += size
    }
    return freed
  }

  #commitFolder(repository: string, commit: string): string {
    return path.join(this.root, repository, commit)
  }

  async #record(repository: string): Promise<z.output<typeof Record> | undefined> {
    const text = await readFile(path.join(this.root, repository, recordFile), 'utf8').catch(() => undefined)
    try {
      return text === undefined ? undefined : Record.parse(JSON.parse(text))
    } catch {
      return undefined // pulled anew
    }
  }

  async #describe(name: RepositoryName, commit: string): Promise<PulledRepository> {
    const folder = this.#commitFolder(name.repository, commit)
    const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
    const files = entries.filter(entry => entry.isFile()).map(entry => path.join(entry.parentPath, entry.name))
    const sizes = await Promise.all(files.map(async file => (await stat(file)).size))
    const names = files.map(file => path.relative(folder, file).split(path.sep).join('/')).toSorted()
    return { ...name, commit, folder, files: names, bytes: sizes.reduce((sum, size) => sum + size, 0) }
  }
}

/**
 * What a program opens of a pulled repository: its folder, or its only GGUF file.
 *
 * @throws DATA_REPOSITORY_FILES when there are several
 */
export function pulledModel({ repository, folder, files }: PulledRepository): string {
  const models = files.filter(file => isGguf({ path: file }))
  const [first] = models
  if (first === undefined || files.includes('config.json')) return folder
  if (models.length === 1) return path.join(folder, first)
  const problem = `several of its GGUF files were pulled into ${folder}; name one of them by its path: ${models.join(', ')}`
  throw dataErrors.REPOSITORY_FILES({ repository, problem })
}

/** A path of a listing, which must not leave the folder on any system. */
function requireInside(folder: string, name: string): string {
  const parts = name.split('/')
  const isPlain = parts.every(each => each !== '' && each !== '.' && each !== '..' && !/[\\:\0]/.test(each))
  if (!isPlain) throw dataErrors.PATH_UNSAFE({ dataset: path.basename(folder), row: JSON.stringify(name) })
  return path.join(folder, ...parts)
}

/** Folders that can be an owner or a repository. */
async function foldersIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
  return entries
    .filter(entry => entry.isDirectory() && !entry.name.startsWith('.') && entry.name !== 'blobs')
    .map(entry => entry.name)
    .toSorted()
}

import { mkdir, readdir, readFile, rm, stat, statfs, utimes } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { writeWhole } from '@qoq-med/whole-file'
import { z } from 'zod'
import { writeFolderAtomically } from '../checkpoint/write-folder.ts'
import { modelErrors } from '../errors.ts'
import { fileChecksum } from './packed-file.ts'

/** Where packed weights are kept. */
export interface WeightCacheOptions {
  /** Default: QOQ_CACHE_DIR, else qoq-med/weights in the user's cache folder (XDG_CACHE_HOME or ~/.cache). */
  readonly folder?: string | undefined
  /** Bytes that all models may take; the least recently used are dropped, never the one in use. Default 64 GiB. */
  readonly limitBytes?: number | undefined
}

/** Packed weights on disk. */
export interface CachedWeights {
  readonly key: string
  /** Name of the model that they were made from. */
  readonly model: string
  readonly bytes: number
  readonly usedAt: Date
}

const entryFile = 'entry.json'
const defaultLimitBytes = 64 * 2 ** 30
/** What is left free beside the packed weights. */
const spareBytes = 2 ** 26

const Entry = z.object({
  model: z.string(),
  files: z.record(z.string().regex(/^[\w.-]+$/), z.object({ bytes: z.int().nonnegative(), crc32: z.int() })),
})

/** The folder of the cache. */
export function weightCacheFolder(folder?: string): string {
  const user = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache')
  return folder ?? process.env['QOQ_CACHE_DIR'] ?? join(user, 'qoq-med', 'weights')
}

/** A folder of the cache. */
export interface CachedFolder {
  readonly folder: string
  /** Resolves when the contents of all files were compared. @throws MODEL_CACHE_DAMAGED after dropping the folder */
  readonly verified: Promise<void>
}

/** What is to be cached. */
export interface CachedContent {
  readonly key: string
  readonly model: string
  /** Bytes that it takes. */
  readonly bytes: number
  fill(folder: string): Promise<void>
}

/**
 * Answers the folder of a key's files, which are made if they are not there: all of them or nothing. Small files and the sizes of
 * all are compared with what was written before the folder is answered, the contents of large ones meanwhile.
 *
 * @throws MODEL_CACHE_FULL when the disk has no room, MODEL_CACHE_UNUSABLE when the folder cannot be written
 */
export async function cachedFolder(content: CachedContent, options: WeightCacheOptions = {}): Promise<CachedFolder> {
  const root = weightCacheFolder(options.folder)
  const folder = join(root, content.key)
  const files = await wholeFiles(folder)
  if (files) {
    const now = new Date()
    await utimes(join(folder, entryFile), now, now).catch(() => undefined) // a cache that may only be read is fine
    return { folder, verified: verifyLarge(folder, files) }
  }
  await rm(folder, { recursive: true, force: true }).catch(() => undefined) // what cannot be removed cannot be written either
  try {
    await mkdir(root, { recursive: true })
    await makeRoom(root, content.bytes, options.limitBytes ?? defaultLimitBytes)
    await writeFolderAtomically(folder, temporary => fillEntry(temporary, content), entryFile)
  } catch (error) {
    throw cacheError(error, root, content.bytes)
  }
  return { folder, verified: Promise.resolve() }
}

/** What is in the cache, the latest used first. */
export async function cachedWeights(folder?: string): Promise<CachedWeights[]> {
  const root = weightCacheFolder(folder)
  const names = await readdir(root).catch(() => [])
  const entries = await Promise.all(names.filter(name => /^[0-9a-f]{64}$/.test(name)).map(name => describe(root, name)))
  return entries.flatMap(entry => entry ?? []).toSorted((a, b) => b.usedAt.getTime() - a.usedAt.getTime())
}

/** Drops packed weights, all or those of one key. @returns what was dropped */
export async function dropCachedWeights(folder?: string, key?: string): Promise<CachedWeights[]> {
  await dropUnfinished(weightCacheFolder(folder))
  const dropped = (await cachedWeights(folder)).filter(entry => key === undefined || entry.key === key)
  for (const entry of dropped) await rm(join(weightCacheFolder(folder), entry.key), { recursive: true, force: true })
  return dropped
}

async function describe(root: string, key: string): Promise<CachedWeights | undefined> {
  const path = join(root, key)
  const files = await readdir(path).catch(() => [])
  const sizes = await Promise.all(
    files.map(async name => (await stat(join(path, name)).catch(() => undefined))?.size ?? 0),
  )
  const entry = await readEntry(path)
  const used = await stat(join(path, entryFile)).catch(() => undefined)
  const bytes = sizes.reduce((sum, size) => sum + size, 0)
  return { key, model: entry?.model ?? 'damaged', bytes, usedAt: used?.mtime ?? new Date(0) }
}

async function readEntry(folder: string): Promise<z.output<typeof Entry> | undefined> {
  const text = await readFile(join(folder, entryFile), 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  try {
    return Entry.parse(JSON.parse(text))
  } catch {
    return undefined // damaged: it is made again
  }
}

type Files = z.output<typeof Entry>['files']

/** Files up to this size are compared before anything is loaded: a model's graph is one. */
const smallBytes = 2 ** 24

/** What an entry lists, if its files have the sizes and the small ones the contents that they were written with. */
async function wholeFiles(folder: string): Promise<Files | undefined> {
  const files = (await readEntry(folder))?.files
  if (files === undefined || Object.keys(files).length === 0) return undefined
  for (const [name, wanted] of Object.entries(files)) {
    const size = (await stat(join(folder, name)).catch(() => undefined))?.size
    if (size !== wanted.bytes) return undefined
    if (size <= smallBytes && (await fileChecksum(join(folder, name))).crc32 !== wanted.crc32) return undefined
  }
  return files
}

async function verifyLarge(folder: string, files: Files): Promise<void> {
  for (const [name, { bytes, crc32 }] of Object.entries(files)) {
    if (bytes <= smallBytes || (await fileChecksum(join(folder, name))).crc32 === crc32) continue
    await rm(folder, { recursive: true, force: true })
    throw modelErrors.CACHE_DAMAGED({ folder, file: name })
  }
}

async function fillEntry(folder: string, content: CachedContent): Promise<void> {
  await content.fill(folder)
  const names = await readdir(folder)
  const files = await Promise.all(names.map(async name => [name, await fileChecksum(join(folder, name))] as const))
  await writeEntry(folder, { model: content.model, files: Object.fromEntries(files) })
}

async function writeEntry(folder: string, entry: z.input<typeof Entry>): Promise<void> {
  await writeWhole(join(folder, entryFile), JSON.stringify(entry, undefined, 1))
}

/** A folder that is being filled grows all the time; one that did not for an hour was left by a process that was killed. */
const unfinishedMs = 3_600_000

/** Drops what killed processes left half filled. */
async function dropUnfinished(root: string): Promise<void> {
  const names = (await readdir(root).catch(() => [])).filter(name => /^\.[0-9a-f]{64}-[0-9a-f-]{36}(-old)?$/.test(name))
  for (const path of names.map(name => join(root, name))) {
    const files = [path, ...(await readdir(path).catch(() => [])).map(file => join(path, file))]
    const times = await Promise.all(files.map(async file => (await stat(file).catch(() => undefined))?.mtimeMs ?? 0))
    if (Date.now() - Math.max(...times) > unfinishedMs) await rm(path, { recursive: true, force: true })
  }
}

/** Drops the least recently used until the new one fits the limit, and refuses what the disk cannot hold. */
async function makeRoom(root: string, bytes: number, limitBytes: number): Promise<void> {
  await dropUnfinished(root)
  const entries = await cachedWeights(root)
  let total = entries.reduce((sum, entry) => sum + entry.bytes, bytes)
  for (const entry of entries.toReversed()) {
    if (total <= limitBytes) break
    await rm(join(root, entry.key), { recursive: true, force: true })
    total -= entry.bytes
  }
  const { bavail, bsize } = await statfs(root)
  if (bavail * bsize < bytes + spareBytes) throw modelErrors.CACHE_FULL({ folder: root, bytes, free: bavail * bsize })
}

/** What the system says of a folder that cannot be written. */
const unwritable = new Set(['EACCES', 'EROFS', 'ENOTDIR', 'EPERM', 'EEXIST'])

function cacheError(error: unknown, folder: string, bytes: number): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'ENOSPC' || code === 'EDQUOT') return modelErrors.CACHE_FULL({ folder, bytes }, { cause: error })
  if (typeof code !== 'string' || !unwritable.has(code)) return error
  return modelErrors.CACHE_UNUSABLE({ folder, reason: code }, { cause: error })
}

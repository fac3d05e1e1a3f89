import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { readdir, realpath, stat } from 'node:fs/promises'
import path from 'node:path'
import { readInputFile } from './input-file.ts'

/** Folders that file managers and tools leave behind; their contents are no data. */
const foreignFolders = new Set(['__MACOSX', '@eaDir', '$RECYCLE.BIN', 'System Volume Information'])

/** Names in a folder: regular files and folders, links counted as what they point at. */
export interface FolderEntries {
  readonly files: readonly string[]
  readonly folders: readonly string[]
}

/**
 * Lists a folder without what begins with a dot (`._x` companions, `.git`, `.DS_Store`), without what is neither file nor
 * folder. A link that points nowhere counts as a file: its row then says that the file is missing, as one of a store whose
 * contents were not fetched is.
 */
export async function visibleEntries(folder: string): Promise<FolderEntries> {
  const files: string[] = []
  const folders: string[] = []
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const { name } = entry
    if (name.startsWith('.') || foreignFolders.has(name)) continue
    const found = entry.isSymbolicLink() ? await stat(path.join(folder, name)).catch(() => undefined) : entry
    if (found === undefined || found.isFile()) files.push(name)
    else if (found.isDirectory()) folders.push(name)
  }
  return { files, folders }
}

/** Lists all files below a folder by the rules of `visibleEntries`; a folder that links lead to again is listed once. */
export async function filesBelow(folder: string, visited: Set<string> = new Set()): Promise<string[]> {
  const place = await realpath(folder)
  if (visited.has(place)) return []
  visited.add(place)
  const { files, folders } = await visibleEntries(folder)
  const found = files.map(name => path.join(folder, name))
  for (const name of folders) found.push(...(await filesBelow(path.join(folder, name), visited)))
  return found
}

/** Up to this size a file is read at once: four hops to another thread take ten times as long as reading it. */
export const maxBytesAtOnce: number = 2 ** 20

/**
 * Reads a file, or what a link points at, when it is a regular file: a device or a pipe may have no end.
 *
 * @throws DATA_INPUT_IRREGULAR when it is larger than what is read at once, DATA_INPUT_MISSING when it must not be read
 */
export async function readRegularFile(file: string): Promise<Uint8Array | undefined> {
  const small = readSmallFile(file)
  if (small !== undefined) return small
  const found = await stat(file).catch(() => undefined)
  return found?.isFile() ? readInputFile(file) : undefined
}

/**
 * Reads a regular file of up to `maxBytesAtOnce` without leaving the thread.
 *
 * @param room where its bytes go; memory of its own where it is missing
 * @returns undefined for a larger file, and for what is missing or no file
 */
export function readSmallFile(file: string, room?: Uint8Array): Uint8Array | undefined {
  const handle = openWithoutWaiting(file)
  if (handle === undefined) return undefined
  try {
    const found = fstatSync(handle)
    if (!found.isFile() || found.size > maxBytesAtOnce) return undefined
    const bytes = room ?? new Uint8Array(found.size)
    return bytes.subarray(0, readSync(handle, bytes, 0, found.size, 0))
  } finally {
    closeSync(handle)
  }
}

/** A pipe that nobody writes to is opened too, and closed again when it turns out to be one. */
function openWithoutWaiting(file: string): number | undefined {
  try {
    return openSync(file, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch {
    return undefined
  }
}

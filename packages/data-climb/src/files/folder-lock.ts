import { open, readFile, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'

/** Locks that this process holds: its number alone would not tell its own lock from that of a killed namesake. */
const held = new Set<string>()

/** What came of claiming a folder: it is ours until it is given back, or a living process has it. */
export type FolderLock =
  | { readonly type: 'held'; readonly release: () => Promise<void> }
  | { readonly type: 'busy'; readonly pid: number }

/**
 * Claims a folder for this process by a file in it, so that no second process writes there. What a kill left is taken
 * over.
 *
 * @param name of the lock file, such as `run.lock`
 */
export async function lockFolder(folder: string, name: string): Promise<FolderLock> {
  const file = join(resolve(folder), name)
  if (!(await claim(file))) {
    const owner = Number(await readFile(file, 'utf8').catch(() => ''))
    if (held.has(file) || (owner !== process.pid && isAlive(owner))) return { type: 'busy', pid: owner }
    await rm(file, { force: true })
    if (!(await claim(file))) return { type: 'busy', pid: owner }
  }
  held.add(file)
  const release = async (): Promise<void> => {
    held.delete(file)
    await rm(file, { force: true })
  }
  return { type: 'held', release }
}

async function claim(path: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx')
    await file.writeFile(String(process.pid)).finally(() => file.close())
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  }
}

function isAlive(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false
  try {
    return process.kill(pid, 0)
  } catch (error) {
    // A process of another user may not be signalled, but it is there.
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

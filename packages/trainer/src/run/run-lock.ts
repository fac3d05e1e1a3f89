import { open, readFile, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { trainerErrors } from '../errors.ts'

/** Folders that this process holds: its number alone would not tell its own lock from that of a killed namesake. */
const held = new Set<string>()

/**
 * Claims a run folder for this process, so that no second run writes into it. What a kill left is taken over.
 *
 * @returns gives the folder back
 * @throws TRAINER_RUN_BUSY when a process that is alive holds it
 */
export async function lockRun(folder: string): Promise<() => Promise<void>> {
  const file = join(resolve(folder), 'run.lock')
  if (!(await claim(file))) {
    const owner = Number(await readFile(file, 'utf8').catch(() => ''))
    if (held.has(file) || (owner !== process.pid && isAlive(owner)))
      throw trainerErrors.RUN_BUSY({ folder, pid: owner })
    await rm(file, { force: true })
    if (!(await claim(file))) throw trainerErrors.RUN_BUSY({ folder, pid: owner })
  }
  held.add(file)
  return async () => {
    held.delete(file)
    await rm(file, { force: true })
  }
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

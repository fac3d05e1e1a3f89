import { lockFolder } from '@qoq-med/data-climb'
import { trainerErrors } from '../errors.ts'

/**
 * Claims a run folder for this process, so that no second run writes into it. What a kill left is taken over.
 *
 * @returns gives the folder back
 * @throws TRAINER_RUN_BUSY when a process that is alive holds it
 */
export async function lockRun(folder: string): Promise<() => Promise<void>> {
  const lock = await lockFolder(folder, 'run.lock')
  if (lock.type === 'busy') throw trainerErrors.RUN_BUSY({ folder, pid: lock.pid })
  return lock.release
}

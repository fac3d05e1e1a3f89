import { damagedFile } from './checkpoint-checksums.ts'
import { listCheckpoints, startCheckpoint, type Checkpoint } from './checkpoint.ts'
import { trainerErrors } from '../errors.ts'

/**
 * The checkpoint to go on from, and the one its stage began with, as they were written.
 *
 * @returns nothing where there is none
 * @throws TRAINER_CHECKPOINT_DAMAGED naming the file that differs and the last checkpoint that is whole
 */
export async function lastCheckpoint(runFolder: string): Promise<Checkpoint | undefined> {
  const all = await listCheckpoints(runFolder)
  const last = all.at(-1)
  if (last === undefined) return undefined
  for (const folder of new Set([last.folder, startCheckpoint(last)])) {
    const file = await damagedFile(folder)
    if (file === undefined) continue
    const good = await lastWhole(all.slice(0, -1).filter(one => one.folder !== folder))
    throw trainerErrors.CHECKPOINT_DAMAGED({ folder, file, good: good?.folder })
  }
  return last
}

async function lastWhole(checkpoints: readonly Checkpoint[]): Promise<Checkpoint | undefined> {
  for (const checkpoint of checkpoints.toReversed())
    if ((await damagedFile(checkpoint.folder)) === undefined) return checkpoint
  return undefined
}

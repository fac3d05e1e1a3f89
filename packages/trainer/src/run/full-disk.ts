import { listCheckpoints } from './checkpoint.ts'
import { trainerErrors } from '../errors.ts'

const fullDisk: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT'])

/** Does the work of a run; where the disk is full, the error says what could not be written and what is kept. @throws TRAINER_DISK_FULL */
export async function namingFullDisk<Value>(runFolder: string, work: () => Promise<Value>): Promise<Value> {
  try {
    return await work()
  } catch (error) {
    const system = systemError(error)
    if (system === undefined) throw error
    const last = (await listCheckpoints(runFolder).catch(() => [])).at(-1)
    const kept = last ? `the checkpoint ${last.folder} is kept` : 'there is no checkpoint yet'
    throw trainerErrors.DISK_FULL({ path: system.path ?? runFolder, kept }, { cause: error })
  }
}

/** The system's error of a full disk, which may be the cause of another one. */
function systemError(error: unknown): { readonly path?: string } | undefined {
  if (!(error instanceof Error)) return undefined
  if ('code' in error && fullDisk.has(error.code))
    return 'path' in error && typeof error.path === 'string' ? { path: error.path } : {}
  return systemError(error.cause)
}

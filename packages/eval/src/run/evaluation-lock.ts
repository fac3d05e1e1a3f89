import { lockFolder } from '@qoq-med/data-climb'
import { evalErrors } from '../errors.ts'

/** Works in a folder that no other process evaluates into meanwhile. @throws EVAL_RUN_BUSY */
export async function withEvaluationLock<Value>(dir: string, work: () => Promise<Value>): Promise<Value> {
  const lock = await lockFolder(dir, 'evaluation.lock')
  if (lock.type === 'busy') throw evalErrors.RUN_BUSY({ dir, pid: lock.pid })
  try {
    return await work()
  } finally {
    await lock.release()
  }
}

// A thread with the tests' small policy: run by thread-policy.test.ts.
import { workerData } from 'node:worker_threads'
import { createOrtExecutor } from '@qoq-med/tensor'
import { testModel } from '../src/composition/nano.testing.ts'
import { modelErrors } from '../src/errors.ts'
import { LocalPolicy } from '../src/policy/local-policy.ts'
import { runPolicyThread } from '../src/policy/thread/run-policy-thread.ts'

/** What the thread does beside answering. */
export interface PolicyThreadData {
  /** Fails to open, with an error that has a code or with one that has none. */
  readonly refuses?: 'by code' | 'by accident'
  /** Never opens; ends when nobody waits. */
  readonly isSlow?: boolean
  /** Dies of an error so many milliseconds after it was opened. */
  readonly diesAfterMs?: number
}

const { refuses, isSlow, diesAfterMs } = workerData as PolicyThreadData

await runPolicyThread(async ({ serve, signal }) => {
  if (refuses === 'by accident') throw new RangeError('no such kernel')
  if (refuses) throw modelErrors.FOLDER_INVALID({ folder: 'here', problem: 'it is a test' })
  if (isSlow) await new Promise<void>(resolve => signal.addEventListener('abort', () => resolve()))
  const { model, store } = testModel()
  const executor = await createOrtExecutor()
  const policy = new LocalPolicy({ model, weights: name => store.weights(name), executor, maxBatch: 8 })
  if (diesAfterMs !== undefined)
    setTimeout(() => {
      throw new Error('the end')
    }, diesAfterMs)
  await serve(policy)
  await policy.close()
  await executor.close()
})

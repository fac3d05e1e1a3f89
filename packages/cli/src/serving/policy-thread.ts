// The thread of `qoq serve` in which the model is: it opens what `withThreadedPolicy` names, and tells how far it is.
import { parentPort, workerData } from 'node:worker_threads'
import { runPolicyThread } from '@qoq-med/model'
import { type OpenPolicyOptions, withPolicy } from '../local-policy.ts'

/** How the policy is opened, as plain data. */
export type ThreadedPolicyOptions = Omit<OpenPolicyOptions, 'signal'>

/** What the thread says while it opens the policy. */
export interface ThreadWords {
  readonly progress?: string
  readonly note?: string
}

const { options } = workerData as { readonly options: ThreadedPolicyOptions } // as `withThreadedPolicy` gives it
const say = (words: ThreadWords): void => parentPort?.postMessage(words, [])

await runPolicyThread(async ({ serve, signal }) => {
  const output = { progress: (progress: string) => say({ progress }), note: (note: string) => say({ note }) }
  await withPolicy({ ...options, signal }, output, serve)
})

// The thread of the policy in `servedChat`, as `qoq serve` has one.
import { workerData } from 'node:worker_threads'
import { runPolicyThread } from '@qoq-med/model'
import { openEndlessPolicy, type EndlessPolicyOptions } from './endless-policy.ts'

const { options } = workerData as { readonly options: EndlessPolicyOptions } // as `servedChat` gives it

await runPolicyThread(async ({ serve }) => {
  const { policy, close } = await openEndlessPolicy(options)
  await serve(policy)
  await close()
})

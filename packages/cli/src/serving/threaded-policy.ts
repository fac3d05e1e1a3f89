import { type Policy } from '@qoq-med/model'
import type { CommandOutput } from '../command-output.ts'
import type { OpenPolicyOptions } from '../local-policy.ts'
import type { ThreadWords } from './policy-thread.ts'

/**
 * Opens a model folder as a policy in a thread of its own, does some work with it, and closes it whatever happens.
 *
 * @param work is told by a signal when the thread ends early
 * @throws as `withPolicy`; MODEL_THREAD_ENDED when the thread ended early
 */
export async function withThreadedPolicy<Value>(
  { signal, ...options }: OpenPolicyOptions,
  output: Pick<CommandOutput, 'progress' | 'note'>,
  work: (policy: Policy, ended: AbortSignal) => Promise<Value>,
): Promise<Value> {
  const { openThreadPolicy } = await import('@qoq-med/model')
  const isSource = import.meta.url.endsWith('.ts')
  const policy = await openThreadPolicy({
    module: new URL(`./policy-thread${isSource ? '.ts' : '.js'}`, import.meta.url),
    execArgv: isSource ? ['--conditions=@qoq-med/source'] : [],
    data: { options },
    onMessage: words => {
      const { progress, note } = words as ThreadWords // as the module says
      if (progress !== undefined) output.progress(progress)
      if (note !== undefined) output.note(note)
    },
    signal,
  })
  try {
    const value = await work(policy, policy.ended)
    policy.ended.throwIfAborted()
    return value
  } finally {
    await policy.close()
  }
}

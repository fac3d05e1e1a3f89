import type { Completion, GenerateRequest, LocalPolicy } from '@qoq-med/model'
import { cliErrors } from './errors.ts'

/** Lets a policy answer one prompt once. @throws CLI_INTERRUPTED, and what the policy throws */
export async function complete(
  policy: LocalPolicy,
  request: GenerateRequest,
  signal: AbortSignal,
): Promise<Completion> {
  try {
    for await (const event of policy.generate([request], { signal })) {
      if (event.type === 'sample-end') return event.completion
    }
  } catch (error) {
    if (!signal.aborted) throw error
  }
  throw cliErrors.INTERRUPTED({ saved: 'the answer was not finished, and nothing was written' })
}

import { HintedError, isHintedError } from '@qoq-med/errors'
import type { Works } from './works.ts'

/** What a thread is asked. */
export interface WorkRequest {
  readonly name: keyof Works
  readonly work: unknown
}

/** What it answers: errors lose their class on the way, and are put together again. */
export type WorkReply =
  | { readonly type: 'done'; readonly value: unknown }
  | {
      readonly type: 'refused'
      readonly code: string
      readonly message: string
      readonly hint: string
      readonly status: number | undefined
    }

/** Does work and puts what came of it into a message. What has no code stays an error, and ends as the server's own fault. */
export async function replyOf(work: () => Promise<unknown>): Promise<WorkReply> {
  try {
    return { type: 'done', value: await work() }
  } catch (thrown) {
    if (!isHintedError(thrown)) throw thrown
    const { code, message, hint, status } = thrown
    return { type: 'refused', code, message, hint, status }
  }
}

/** What a message brings. @throws the error that the work ended with */
export function valueOf(reply: WorkReply): unknown {
  if (reply.type === 'done') return reply.value
  throw new HintedError(reply.code, reply.message, reply.hint, { status: reply.status })
}

import { isHintedError, receivedError, sentError, type SentError } from '@qoq-med/errors'
import type { Works } from './works.ts'

/** What a thread is asked. */
export interface WorkRequest {
  readonly name: keyof Works
  readonly work: unknown
}

/** What it answers: errors lose their class on the way, and are put together again. */
export type WorkReply =
  | { readonly type: 'done'; readonly value: unknown }
  | { readonly type: 'refused'; readonly error: SentError }

/** Does work and puts what came of it into a message. What has no code stays an error, and ends as the server's own fault. */
export async function replyOf(work: () => Promise<unknown>): Promise<WorkReply> {
  try {
    return { type: 'done', value: await work() }
  } catch (thrown) {
    if (!isHintedError(thrown)) throw thrown
    return { type: 'refused', error: sentError(thrown) }
  }
}

/** What a message brings. @throws the error that the work ended with */
export function valueOf(reply: WorkReply): unknown {
  if (reply.type === 'done') return reply.value
  throw receivedError(reply.error)
}

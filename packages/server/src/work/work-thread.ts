// A thread that decodes files, scores rewards and computes advantages, so that the thread that serves does not wait.
import { replyOf, type WorkReply, type WorkRequest } from './work-message.ts'
import { works } from './works.ts'

/** Called by the pool. */
export default async function done({ name, work }: WorkRequest): Promise<WorkReply> {
  return replyOf(async () => works[name](work as never)) // as the pool sent it
}

// A thread that parses bodies, decodes files, scores rewards and computes advantages, so that the thread that serves does not wait.
import { move, transferableSymbol, valueSymbol } from 'piscina'
import { sharePixels } from './shared-pixels.ts'
import { transferredBuffers } from './transferred.ts'
import { replyOf, type WorkReply, type WorkRequest } from './work-message.ts'
import { works as plainWorks, type Works } from './works.ts'

const works: Works = { ...plainWorks, decode: async work => sharePixels(await plainWorks.decode(work)) }

/** Called by the pool. */
export default async function done({ name, work }: WorkRequest): Promise<WorkReply> {
  const reply = await replyOf(async () => works[name](work as never)) // as the pool sent it
  return move({ [transferableSymbol]: transferredBuffers(reply), [valueSymbol]: reply }) as never // the pool takes the value out
}

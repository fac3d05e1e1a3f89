import type { Job } from './engine.ts'

/** What a job's log has more than at the look before, as one text: of jobs that say little. */
export async function newLog(job: Job): Promise<string> {
  let text = ''
  for await (const piece of job.newLog()) text += piece
  return text
}

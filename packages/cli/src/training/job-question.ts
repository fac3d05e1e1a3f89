import { createInterface } from 'node:readline/promises'
import type { CommandOutput } from '../command-output.ts'

/**
 * Asks at a terminal what becomes of a job that runs elsewhere when this process is interrupted. Without a terminal it is ended: no job
 * is left running unseen.
 */
export function jobQuestion(output: Pick<CommandOutput, 'note'>): (job: string) => Promise<'stop' | 'detach'> {
  return async job => {
    if (!process.stdin.isTTY) {
      output.note(`Stopping the job ${job}.`)
      return 'stop'
    }
    const terminal = createInterface({ input: process.stdin, output: process.stderr })
    try {
      const answer = await terminal.question(`The job ${job} still runs. Stop it (s), or leave it running (d)? `)
      return answer.trim().toLowerCase().startsWith('d') ? 'detach' : 'stop'
    } finally {
      terminal.close()
    }
  }
}

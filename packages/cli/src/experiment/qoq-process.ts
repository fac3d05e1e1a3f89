import { spawn } from 'node:child_process'
import { cliErrors } from '../errors.ts'
import type { RunQoq } from './run-job.ts'

/** The end of a failed process's messages that its error quotes. */
const quotedLength = 600

/**
 * Runs this `qoq` again in processes of its own, so that jobs use several cores and a failed one takes nothing with it. An
 * abort is passed on as Ctrl-C: a training saves and ends.
 *
 * @param entry the script that started this process
 */
export function qoqProcesses(entry: string, signal: AbortSignal): RunQoq {
  return async (args, job) => {
    signal.throwIfAborted()
    const child = spawn(process.execPath, [...process.execArgv, entry, ...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let messages = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => (messages = (messages + text).slice(-quotedLength)))
    const stop = (): void => void child.kill('SIGINT')
    signal.addEventListener('abort', stop)
    const code = await new Promise<number | null>((resolve, reject) => {
      child.on('error', reject)
      child.on('close', resolve)
    }).finally(() => signal.removeEventListener('abort', stop))
    signal.throwIfAborted()
    if (code !== 0) throw cliErrors.EXPERIMENT_FAILED({ job, command: args[0] ?? '', messages: messages.trim() })
  }
}

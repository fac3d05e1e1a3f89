import { setTimeout as sleep } from 'node:timers/promises'
import type { Job, JobState } from './engine.ts'
import { JobLogReader, type EngineStep, type JobLog } from './step-lines.ts'

/** How a job is followed. */
export interface FollowOptions {
  readonly signal?: AbortSignal | undefined
  /** Given the log piece by piece, from its beginning. */
  readonly onText: (text: string) => Promise<void>
  /** Told of each step once, in order. */
  readonly onStep: (step: EngineStep) => Promise<void>
  /** Decides what becomes of the job when `signal` is aborted. */
  readonly onInterrupt: () => Promise<'stop' | 'detach'>
  /** Milliseconds between looks, at least; a look that takes long is followed by a pause ten times as long. Default 500. */
  readonly everyMs?: number | undefined
}

/** How following a job ended. */
export interface FollowedJob {
  readonly state: JobState | 'detached'
  readonly log: JobLog
}

/** Follows a job to its end, or until it is interrupted. */
export async function followJob(job: Job, options: FollowOptions): Promise<FollowedJob> {
  const { signal, onInterrupt, everyMs = 500 } = options
  const reader = new JobLogReader()
  for (;;) {
    const began = performance.now()
    const state = await job.state() // before the log, which is then whole at the end
    await readNews(job, reader, options)
    if (state !== 'running') return { state, log: await lastWords(reader, options) }
    if (signal?.aborted) {
      if ((await onInterrupt()) === 'detach') return { state: 'detached', log: reader.log }
      await job.stop()
      await readNews(job, reader, options)
      return { state: 'stopped', log: await lastWords(reader, options) }
    }
    const pauseMs = Math.max(everyMs, 10 * (performance.now() - began)) // Ray sends the whole log each time
    await sleep(pauseMs, undefined, { signal }).catch(() => {}) // aborted: looked at above
  }
}

async function readNews(job: Job, reader: JobLogReader, { onText, onStep }: FollowOptions): Promise<void> {
  for await (const text of job.newLog()) {
    await onText(text)
    for (const step of reader.push(text)) await onStep(step)
  }
}

async function lastWords(reader: JobLogReader, { onStep }: FollowOptions): Promise<JobLog> {
  for (const step of reader.end()) await onStep(step)
  return reader.log
}

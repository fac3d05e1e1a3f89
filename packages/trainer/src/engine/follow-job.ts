import { setTimeout as sleep } from 'node:timers/promises'
import type { Job, JobState } from './engine.ts'
import { readJobLog, type EngineStep, type JobLog } from './step-lines.ts'

/** How a job is followed. */
export interface FollowOptions {
  readonly signal?: AbortSignal | undefined
  /** Told of each step once, in order. */
  readonly onStep: (step: EngineStep) => Promise<void>
  /** Decides what becomes of the job when `signal` is aborted. */
  readonly onInterrupt: () => Promise<'stop' | 'detach'>
  /** Milliseconds between looks. Default 500. */
  readonly everyMs?: number | undefined
}

/** How following a job ended. */
export interface FollowedJob {
  readonly state: JobState | 'detached'
  readonly log: JobLog
}

/** Follows a job to its end, or until it is interrupted. */
export async function followJob(job: Job, options: FollowOptions): Promise<FollowedJob> {
  const { signal, onStep, onInterrupt, everyMs = 500 } = options
  let told = 0
  for (;;) {
    const state = await job.state() // before the log, which is then whole at the end
    const log = readJobLog(await job.log())
    for (; told < log.steps.length; told++) await onStep(log.steps[told]!) // bounded by its length
    if (state !== 'running') return { state, log }
    if (signal?.aborted) {
      if ((await onInterrupt()) === 'detach') return { state: 'detached', log }
      await job.stop()
      return { state: 'stopped', log }
    }
    await sleep(everyMs, undefined, { signal }).catch(() => {}) // aborted: looked at above
  }
}

import type { RunFolder } from '../run/run-folder.ts'

/** Shows a run's metrics elsewhere while it goes. */
export interface RunTracker {
  /** Takes a line of metrics.jsonl once it has been written there. */
  metric(record: Readonly<Record<string, unknown>>): Promise<void> | void
  /** Ends the tracking of this process; the run may be resumed. */
  close(outcome: 'finished' | 'stopped'): Promise<void>
}

/** The run folder with every metrics line also going to the trackers. */
export function trackedRun(run: RunFolder, trackers: readonly RunTracker[]): RunFolder {
  return {
    ...run,
    metric: async record => {
      await run.metric(record)
      for (const tracker of trackers) await tracker.metric(record)
    },
  }
}

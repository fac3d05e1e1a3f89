import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** One line of a run's metrics.jsonl or samples.jsonl. */
export type LogRecord = Readonly<Record<string, unknown>>

/** The metrics of a run, one record a step, in order; empty where there are none. A line that a kill cut off is left out. */
export function readMetrics(runFolder: string): Promise<LogRecord[]> {
  return readLines(join(runFolder, 'metrics.jsonl'))
}

/** The rollouts that a run has kept, in order; empty where there are none. A line that a kill cut off is left out. */
export function readSamples(runFolder: string): Promise<LogRecord[]> {
  return readLines(join(runFolder, 'samples.jsonl'))
}

async function readLines(path: string): Promise<LogRecord[]> {
  const text = await readFile(path, 'utf8').catch(() => '')
  return text.split('\n').flatMap(line => recordOf(line))
}

function recordOf(line: string): LogRecord[] {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? [value as LogRecord] : [] // an object by the check
  } catch {
    return []
  }
}

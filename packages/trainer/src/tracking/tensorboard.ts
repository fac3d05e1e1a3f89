import { appendFile, mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readMetrics } from '../report/run-log.ts'
import { scalarRecord, versionRecord } from './event-record.ts'
import { metricScalars } from './metric-scalars.ts'
import type { RunTracker } from './run-tracker.ts'

/**
 * Writes a run's metrics as TensorBoard events into `<run>/tensorboard`. The events repeat metrics.jsonl: a resumed run,
 * whose metrics were cut back to its checkpoint, begins a new file with what is left of them.
 *
 * @param runFolder the run's folder, with its metrics.jsonl
 * @param nowSeconds the clock, in seconds since 1970
 */
export async function createTensorBoardTracker(
  runFolder: string,
  nowSeconds: () => number = () => Date.now() / 1000,
): Promise<RunTracker> {
  const folder = join(runFolder, 'tensorboard')
  await mkdir(folder, { recursive: true })
  const earlier = (await readdir(folder)).filter(name => name.includes('tfevents'))
  const file = join(folder, `events.out.tfevents.${Math.floor(nowSeconds())}.${process.pid}.qoq`)
  const past = (await readMetrics(runFolder)).map(record => eventOf(record, nowSeconds()))
  await writeFile(file, Buffer.concat([versionRecord(nowSeconds()), ...past]))
  for (const name of earlier) if (join(folder, name) !== file) await rm(join(folder, name))
  return {
    metric: record => appendFile(file, eventOf(record, nowSeconds())),
    close: async () => undefined,
  }
}

function eventOf(record: Readonly<Record<string, unknown>>, wallTimeSeconds: number): Uint8Array {
  return scalarRecord(Number(record['step']), wallTimeSeconds, metricScalars(record))
}

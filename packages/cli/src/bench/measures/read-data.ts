import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Worker } from 'node:worker_threads'
import { encodeWfdb } from '@qoq-med/data-climb'
import { z } from 'zod'
import type { Measurement } from '../base/measurement.ts'
import { readers, type ReaderKind } from './readers.ts'

const Options = z.object({
  threads: z.int(),
  data: z.string().optional(),
  kind: z.enum(Object.keys(readers) as [ReaderKind, ...ReaderKind[]]), // the keys of the table
  files: z.array(z.string()),
  repeat: z.int(),
})

/** Recordings that are made where a row names no files. */
const madeRecords = 50

/** Reads files again and again, in as many threads as are given; a round reads every file `repeat` times. */
export async function readData(options: unknown): Promise<Measurement> {
  const { threads, data = '.', kind, files, repeat } = Options.parse(options)
  const made = files.length === 0 ? await mkdtemp(path.join(tmpdir(), 'qoq-bench-')) : undefined
  const paths = made === undefined ? files.map(file => path.join(data, file)) : await makeRecords(made)
  const units = made === undefined ? repeat * paths.length : repeat
  const all = Array.from({ length: units }, (_, i) => paths[i % paths.length]!) // at least one path
  const workers = Array.from({ length: threads }, (_, thread) => startReader(kind, share(all, thread, threads)))
  return {
    round: async () => {
      await Promise.all(workers.map(readOnce))
      return { units }
    },
    close: async () => {
      await Promise.all(workers.map(worker => worker.terminate()))
      if (made !== undefined) await rm(made, { recursive: true })
    },
  }
}

function share<Item>(items: readonly Item[], thread: number, threads: number): Item[] {
  return items.filter((_, i) => i % threads === thread)
}

function startReader(kind: ReaderKind, paths: readonly string[]): Worker {
  const isSource = import.meta.url.endsWith('.ts')
  return new Worker(new URL(`./reader-worker${isSource ? '.ts' : '.js'}`, import.meta.url), {
    workerData: { kind, paths },
    execArgv: isSource ? ['--conditions=@qoq-med/source'] : [],
  })
}

/** Lets a thread read its files once. */
async function readOnce(worker: Worker): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    worker.once('error', reject)
    worker.once('message', () => {
      worker.off('error', reject)
      resolve()
    })
    worker.postMessage('read', [])
  })
}

async function makeRecords(folder: string): Promise<string[]> {
  const leads = ['I', 'II', 'III', 'aVR', 'aVL', 'aVF', 'V1', 'V2', 'V3', 'V4', 'V5', 'V6']
  const names: string[] = []
  for (let i = 0; i < madeRecords; i++) {
    const signals = leads.map((name, lead) => ({
      name,
      gain: 1000,
      digital: Int16Array.from({ length: 5000 }, (_, at) => Math.round(400 * Math.sin(at / (9 + lead) + i))),
    }))
    const { hea, dat } = encodeWfdb({ record: `r${i}`, samplingRateHz: 500, signals })
    await writeFile(path.join(folder, `r${i}.hea`), hea)
    await writeFile(path.join(folder, `r${i}.dat`), dat)
    names.push(path.join(folder, `r${i}.hea`))
  }
  return names
}

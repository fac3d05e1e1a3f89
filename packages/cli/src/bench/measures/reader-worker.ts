// A thread of the benchmark of reading: reads its files once for every message, two at a time so that the disk and the
// decoders of other threads are not waited for.
import { parentPort, workerData } from 'node:worker_threads'
import { readers, type ReaderKind } from './readers.ts'

const { kind, paths } = workerData as { readonly kind: ReaderKind; readonly paths: readonly string[] } // sent by read-data.ts
const read = readers[kind]

parentPort?.on('message', () => void readAll())

async function readAll(): Promise<void> {
  let next = 0
  const work = async (): Promise<void> => {
    while (next < paths.length) await read(paths[next++]!) // bounded by the loop
  }
  await Promise.all([work(), work()])
  parentPort?.postMessage('done', [])
}

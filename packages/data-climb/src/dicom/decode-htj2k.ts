import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { dataErrors } from '../errors.ts'
import type { WasmSamples } from './cornerstone-decoders.ts'

/** What a frame may take: a start, and far more per sample than the decoder needs. */
const baseMs = 1500
const samplesPerMs = 1000

let worker: Worker | undefined
/** Frames have their turn one after the other. */
let queue: Promise<unknown> = Promise.resolve()

/**
 * Decodes a high-throughput JPEG 2000 stream in a thread of its own, which is ended when it takes too long.
 *
 * @param samples samples of the frame, by which its time is bounded
 * @throws DATA_DICOM_INVALID when it does not decode, or not in time
 */
export async function decodeHtj2k(stream: Uint8Array, samples: number): Promise<WasmSamples> {
  const turn = queue.then(() => decodeInThread(stream, Math.ceil(baseMs + samples / samplesPerMs)))
  queue = turn.catch(() => undefined)
  return turn
}

async function decodeInThread(stream: Uint8Array, limitMs: number): Promise<WasmSamples> {
  const thread = (worker ??= startThread())
  thread.ref()
  thread.postMessage(stream, [])
  try {
    const [reply] = (await once(thread, 'message', { signal: AbortSignal.timeout(limitMs) })) as [
      WasmSamples | 'failed',
    ] // sent by htj2k-worker.ts
    if (reply === 'failed') throw new Error('the decoder refuses the frame')
    thread.unref()
    return reply
  } catch (cause) {
    // A decoder that failed may be left in any state.
    worker = undefined
    await thread.terminate()
    throw dataErrors.DICOM_INVALID({ problem: 'a htj2k frame does not decode, or takes too long' }, { cause })
  }
}

function startThread(): Worker {
  const isSource = import.meta.url.endsWith('.ts')
  return new Worker(new URL(`./htj2k-worker${isSource ? '.ts' : '.js'}`, import.meta.url), {
    execArgv: isSource ? ['--conditions=@qoq-med/source'] : [],
  })
}

import { Worker } from 'node:worker_threads'
import type { BlockSize } from './block-size.ts'
import { roundBlocks, type RoundedRows } from './round-blocks.ts'
import type { RoundAnswer, RoundRequest } from './round-worker.ts'

/** Rounds rows of weights, several at a time. */
export interface Rounders {
  /** @param values [rows, inner] on shared memory; left alone until the answer is there */
  round(values: Float32Array, inner: number, bits: 4 | 8, blockSize: BlockSize): Promise<RoundedRows>
  close(): Promise<void>
}

/** Below this many weights rounding is over before a thread is awake. */
const minThreadedWeights = 2 ** 26
/** Rounding is half of the work of packing; reading and writing are the rest. */
const threads = 2

/**
 * Rounds in threads where there are many weights, to the same bits.
 *
 * @param weights to be rounded in all
 */
export function startRounders(weights: number): Rounders {
  if (weights < minThreadedWeights) {
    return { round: async (...rows) => roundBlocks(...rows), close: async () => undefined }
  }
  const lanes = Array.from({ length: threads }, startLane)
  let next = 0
  return {
    round: (...rows) => lanes[next++ % threads]!.round(...rows), // a lane's number
    close: async () => void (await Promise.all(lanes.map(lane => lane.close()))),
  }
}

/** One thread; its answers come in the order of the requests. */
function startLane(): Rounders {
  const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js'
  const worker = new Worker(new URL(`./round-worker${extension}`, import.meta.url), { execArgv: [] })
  worker.unref()
  const waiting = new Map<number, PromiseWithResolvers<RoundedRows>>()
  worker.on('message', ({ id, rounded }: RoundAnswer) => {
    waiting.get(id)?.resolve(rounded)
    waiting.delete(id)
  })
  worker.on('error', error => {
    for (const { reject } of waiting.values()) reject(error)
  })
  let count = 0
  return {
    round: (values, inner, bits, blockSize) => {
      const answer = Promise.withResolvers<RoundedRows>()
      const request: RoundRequest = { id: count++, values, inner, bits, blockSize }
      waiting.set(request.id, answer)
      worker.ref()
      worker.postMessage(request, [])
      return answer.promise.finally(() => waiting.size === 0 && worker.unref())
    },
    close: async () => void (await worker.terminate()),
  }
}

// A thread that rounds rows of weights. It is started as a file of its own, also straight from the sources under Node's type
// stripping, and therefore imports nothing but what needs no package.
import { parentPort } from 'node:worker_threads'
import { roundBlocks, type RoundedRows } from './round-blocks.ts'

/** Rows to round, on shared memory. */
export interface RoundRequest {
  readonly id: number
  readonly values: Float32Array
  readonly inner: number
  readonly bits: 4 | 8
}

/** Rounded rows, on shared memory. */
export interface RoundAnswer {
  readonly id: number
  readonly rounded: RoundedRows
}

parentPort?.on('message', ({ id, values, inner, bits }: RoundRequest) => {
  parentPort!.postMessage({ id, rounded: roundBlocks(values, inner, bits) } satisfies RoundAnswer, []) // it was there a line before
})

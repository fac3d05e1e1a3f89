// A thread that rounds rows of weights. It is started as a file of its own, also straight from the sources under Node's type
// stripping, and therefore imports nothing but what needs no package.
import { parentPort } from 'node:worker_threads'
import type { BlockSize } from './block-size.ts'
import { roundBlocks, type RoundedRows } from './round-blocks.ts'

/** Rows to round, on shared memory. */
export interface RoundRequest {
  readonly id: number
  readonly values: Float32Array
  readonly inner: number
  readonly bits: 4 | 8
  readonly blockSize: BlockSize
}

/** Rounded rows, on shared memory. */
export interface RoundAnswer {
  readonly id: number
  readonly rounded: RoundedRows
}

parentPort?.on('message', ({ id, values, inner, bits, blockSize }: RoundRequest) => {
  const rounded = roundBlocks(values, inner, bits, blockSize)
  parentPort!.postMessage({ id, rounded } satisfies RoundAnswer, []) // it was there before
})

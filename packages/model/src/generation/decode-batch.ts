import type { Feeds } from '@qoq-med/tensor'
import type { DecoderConfig } from '../checkpoint/decoder-config.ts'
import { rotaryTables } from '../decoder/rotary-tables.ts'
import type { KvCache } from './kv-cache.ts'

/** One row of a decode step. */
export interface NewestToken {
  readonly tokenId: number
  /** Its position, the same on all axes of M-RoPE. */
  readonly position: number
  /** Divides the logits; 0 counts as 1. */
  readonly temperature: number
}

/**
 * The feeds of one decode step over the first rows of a cache, which is read in place; the weights apart.
 *
 * @param embeddings [V, hiddenSize] the embedding table, of which the rows of the newest tokens are copied
 * @param rows at least as many as there are tokens; further rows are zeros
 */
export function decodeFeeds(
  config: DecoderConfig,
  cache: KvCache,
  embeddings: Float32Array,
  newest: readonly NewestToken[],
  rows: number,
): Feeds {
  const { hiddenSize, headDim, numKvHeads, mropeSection } = config
  const axes = mropeSection ? 3 : 1
  const embedded = new Float32Array(rows * hiddenSize)
  const positionIds = new Int32Array(axes * rows)
  const inverseTemperature = new Float32Array(rows).fill(1)
  for (const [row, { tokenId, position, temperature }] of newest.entries()) {
    embedded.set(embeddings.subarray(tokenId * hiddenSize, (tokenId + 1) * hiddenSize), row * hiddenSize)
    for (let axis = 0; axis < axes; axis++) positionIds[axis * rows + row] = position
    if (temperature > 0) inverseTemperature[row] = 1 / temperature
  }
  const { cos, sin } = rotaryTables(config, positionIds)
  const { length } = cache.capacity
  const ofCache = (name: string, data: Float32Array): Feeds[string] =>
    name === 'mask'
      ? { data: data.subarray(0, rows * length), shape: [rows, 1, 1, length] }
      : { data: data.subarray(0, rows * numKvHeads * length * headDim), shape: [rows, numKvHeads, length, headDim] }
  return {
    embeddings: { data: embedded, shape: [rows, hiddenSize] },
    cos: { data: cos, shape: [rows, headDim / 2] },
    sin: { data: sin, shape: [rows, headDim / 2] },
    inverseTemperature: { data: inverseTemperature, shape: [rows, 1] },
    ...Object.fromEntries(Object.entries(cache.arrays()).map(([name, data]) => [name, ofCache(name, data)])),
  }
}

import type { Feeds } from '@qoq-med/tensor'
import { rotaryTables } from '../decoder/rotary-tables.ts'
import type { EngineModel } from './engine-model.ts'
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
 * @param model gives sizes and embeddings
 * @param rows at least as many as there are tokens; further rows are zeros
 */
export async function decodeFeeds(
  model: Pick<EngineModel, 'config' | 'embed'>,
  cache: KvCache,
  newest: readonly NewestToken[],
  rows: number,
): Promise<Feeds> {
  const { config } = model
  const { hiddenSize, headDim, mropeSection } = config
  const axes = mropeSection ? 3 : 1
  const embedded = new Float32Array(rows * hiddenSize)
  await model.embed(
    newest.map(({ tokenId }) => tokenId),
    embedded,
  )
  const positionIds = new Int32Array(axes * rows)
  const inverseTemperature = new Float32Array(rows).fill(1)
  for (const [row, { position, temperature }] of newest.entries()) {
    for (let axis = 0; axis < axes; axis++) positionIds[axis * rows + row] = position
    if (temperature > 0) inverseTemperature[row] = 1 / temperature
  }
  const { cos, sin } = rotaryTables(config, positionIds)
  return {
    embeddings: { data: embedded, shape: [rows, hiddenSize] },
    cos: { data: cos, shape: [rows, headDim / 2] },
    sin: { data: sin, shape: [rows, headDim / 2] },
    inverseTemperature: { data: inverseTemperature, shape: [rows, 1] },
    ...cache.feeds(rows),
  }
}

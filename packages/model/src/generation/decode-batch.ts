import type { HostTensor } from '@qoq-med/encoders'
import { graphOps, type Tensor } from '@qoq-med/tensor'
import type { DecoderConfig } from '../checkpoint/decoder-config.ts'
import type { AttentionContext } from '../decoder/attention.ts'
import { decoder, embedTokens, logits } from '../decoder/decoder.ts'
import { rotaryTables } from '../decoder/rotary-tables.ts'
import type { GraphBuilder, Keyed } from '../policy/program-cache.ts'
import type { KvCache } from './kv-cache.ts'

/** The newest token of every running sequence, and the cache of the tokens before. */
export interface DecodeBatch extends Keyed {
  /** Rows of the program; the cache has as many or fewer in use. */
  readonly batch: number
}

/** One row of a decode step. */
export interface NewestToken {
  readonly tokenId: number
  /** Its position, the same on all axes of M-RoPE. */
  readonly position: number
}

/** Packs one decode step over the rows of a cache; the cache is read in place. */
export function decodeBatch(config: DecoderConfig, cache: KvCache, newest: readonly NewestToken[]): DecodeBatch {
  const { rows: batch, length } = cache.capacity
  const axes = config.mropeSection ? 3 : 1
  const tokenIds = new Int32Array(batch)
  const positionIds = new Int32Array(axes * batch)
  for (const [row, { tokenId, position }] of newest.entries()) {
    tokenIds[row] = tokenId
    for (let axis = 0; axis < axes; axis++) positionIds[axis * batch + row] = position
  }
  const tables = rotaryTables(config, positionIds)
  const half = config.headDim / 2
  return {
    key: `decode ${batch}x${length}`,
    batch,
    inputs: {
      tokenIds: { dtype: 'int32', shape: [batch], data: tokenIds },
      cos: { dtype: 'float32', shape: [batch, half], data: tables.cos },
      sin: { dtype: 'float32', shape: [batch, half], data: tables.sin },
      ...cacheInputs(config, cache),
    },
  }
}

/** Records logits [B, V], and present [2 * layers, B, K, headDim]: new keys and values of layer 0, of layer 1, … */
export function decodeBuilder(config: DecoderConfig): GraphBuilder<DecodeBatch> {
  return (graph, { batch }, { weights, inputs }) => {
    const ops = graphOps(graph)
    const context = (layer: number): AttentionContext<Tensor> => ({
      type: 'past',
      mask: inputs('mask'),
      keys: inputs(`keys.${layer}`),
      values: inputs(`values.${layer}`),
    })
    const embeddings = embedTokens(ops, weights, inputs('tokenIds'))
    const rotations = { cos: inputs('cos'), sin: inputs('sin') }
    const output = decoder(ops, weights, config, { embeddings, ...rotations, batch, length: 1, context })
    const slices = output.keys.flatMap((keys, layer) => [keys, output.values[layer]!]) // one per layer
    const shape = [1, batch, config.numKvHeads, config.headDim]
    // One result instead of two per layer: each costs a copy and a message.
    graph.output(
      'present',
      ops.concat(
        slices.map(slice => ops.reshape(slice, shape)),
        0,
      ),
    )
    graph.output('logits', logits(ops, weights, config, output.hidden))
  }
}

function cacheInputs({ numKvHeads, headDim }: DecoderConfig, cache: KvCache): Record<string, HostTensor> {
  const { rows, length } = cache.capacity
  const inputs: Record<string, HostTensor> = {}
  for (const [name, data] of Object.entries(cache.arrays())) {
    const shape = name === 'mask' ? [rows, 1, 1, length] : [rows, numKvHeads, length, headDim]
    inputs[name] = { dtype: 'float32', shape, data }
  }
  return inputs
}

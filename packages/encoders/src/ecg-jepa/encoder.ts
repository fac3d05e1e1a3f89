import type { Ops } from '@qoq-med/tensor'
import { scopeLayers, type Layers } from '../layers.ts'
import { pooledTokens, type EcgJepaConfig, type EcgPooling } from './config.ts'
import { crossPatternAttention } from './cross-pattern.ts'
import { layerNorm, transformerBlocks } from './transformer-block.ts'

/**
 * The ECG-JEPA encoder (Kim, ECG-JEPA, section 3): each lead is cut into patches, and a patch attends to those of its
 * lead and those of its time.
 *
 * @param layers named as in the official checkpoint, without the prefix `encoder.`
 * @param signals [N, L, numPatches * patchSize] millivolts, L leads
 * @param leads which of the config's leads the L are; all by default
 * @returns [N, L * numPatches, embedDim], lead after lead
 */
export function ecgJepaEncoder<T>(
  ops: Ops<T>,
  layers: Layers<T>,
  config: EcgJepaConfig,
  signals: T,
  leads: readonly number[] = allLeads(config),
): T {
  const { numLeads, numPatches, patchSize } = config
  const patches = ops.reshape(signals, [ops.shape(signals)[0]!, leads.length * numPatches, patchSize])
  const table = layers.weight('pos_embed')
  const rows = leads.flatMap(lead => Array.from({ length: numPatches }, (_, patch) => lead * numPatches + patch))
  const positions = leads.length === numLeads ? table : ops.gatherRows(table, ops.indices(Int32Array.from(rows)))
  return encodePatches(ops, layers, config, patches, positions, leads.length)
}

function allLeads({ numLeads }: EcgJepaConfig): number[] {
  return Array.from({ length: numLeads }, (_, lead) => lead)
}

/**
 * Encodes patches that form a grid of leads and times, all of them or some times only.
 *
 * @param patches [N, leads * times, patchSize]
 * @param positions [leads * times, embedDim]
 * @returns [N, leads * times, embedDim]
 */
export function encodePatches<T>(
  ops: Ops<T>,
  layers: Layers<T>,
  config: EcgJepaConfig,
  patches: T,
  positions: T,
  leads: number,
): T {
  const times = ops.shape(patches)[1]! / leads
  const embedded = layers.linear(patches, 'W_P', { hasBias: true })
  const attend = crossPatternAttention(ops, leads, times)
  const blocks = scopeLayers(layers, 'encoder_blocks.')
  return layerNorm(ops, layers, 'norm', transformerBlocks(ops, blocks, config, embedded, positions, attend))
}

/**
 * Pools an ECG's tokens [N, L * numPatches, D] to [N, K, D]: means of K equal runs of tokens (whole leads or parts of
 * one). `mean` is the released model's choice, `patches` the paper's "time-series tokens" (docs/paper-map.md).
 *
 * @throws ENCODERS_ECG_TOKENS when the runs would not be equal
 */
export function poolEcgTokens<T>(ops: Ops<T>, config: EcgJepaConfig, tokens: T, pooling: EcgPooling): T {
  if (pooling === 'patches') return tokens
  const [batch, count, width] = ops.shape(tokens) as [number, number, number] // rank 3
  const pooled = pooledTokens(config, pooling)
  return ops.mean(ops.reshape(tokens, [batch, pooled, count / pooled, width]), { axis: 2 })
}
